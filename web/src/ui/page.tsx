import { type ReactNode, useEffect, useRef } from 'react';

import { cn } from './class.ts';
import { TopBar } from './top-bar.tsx';

/** Names the window after the page, and puts listeners at its beginning when they get there. */
function useTitle(title: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Signalbox`;
    const active = document.activeElement;
    if (active === null || active === document.body) heading.current?.focus();
  }, [title]);
  return heading;
}

/** A page with one question: a column in the middle. */
export function Sheet({
  title,
  lead,
  children,
  foot,
}: {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  foot?: ReactNode;
}) {
  const heading = useTitle(title);
  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar bare />
      <main className="mx-auto grid w-full max-w-md content-start gap-5 px-4 pt-8 pb-12 sm:pt-[10vh]">
        <section className="grid gap-5 rounded-xl border border-line bg-surface p-5 sm:p-7">
          <div className="grid gap-1.5">
            <h1 ref={heading} tabIndex={-1} className="text-xl font-semibold outline-none">
              {title}
            </h1>
            {lead ? <div className="text-muted [overflow-wrap:anywhere]">{lead}</div> : null}
          </div>
          {children}
        </section>
        {foot ? <div className="px-1 text-center text-sm text-muted">{foot}</div> : null}
      </main>
    </div>
  );
}

/** A page with several sections. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  const heading = useTitle(title);
  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar />
      <main className="mx-auto grid w-full max-w-3xl content-start gap-6 px-4 py-6 sm:px-6 sm:py-8">
        <h1 ref={heading} tabIndex={-1} className="text-xl font-semibold outline-none">
          {title}
        </h1>
        {children}
      </main>
    </div>
  );
}

/** A part of a page, with what can be done about it at its end. */
export function Section({
  title,
  lead,
  aside,
  children,
  className,
}: {
  title: string;
  lead?: ReactNode;
  aside?: ReactNode;
  children?: ReactNode;
  className?: string;
}) {
  return (
    <section className={cn('rounded-xl border border-line bg-surface', className)}>
      <div className="flex flex-wrap items-start justify-between gap-3 px-4 py-3.5 sm:px-5">
        <div className="grid min-w-0 gap-0.5">
          <h2 className="text-lg font-semibold">{title}</h2>
          {lead ? <div className="text-sm text-muted">{lead}</div> : null}
        </div>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A link inside a sentence. */
export const LINK =
  'font-medium text-accent underline decoration-accent/40 underline-offset-3 hover:decoration-accent rounded-xs';
