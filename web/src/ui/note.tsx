import { Check, CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import { cn } from './class.ts';

const KINDS = {
  info: [Info, 'border-line bg-sunken text-ink'],
  good: [Check, 'border-accent/30 bg-accent-soft text-ink [&_svg]:text-accent'],
  caution: [TriangleAlert, 'border-caution/30 bg-caution-soft text-ink [&_svg]:text-caution'],
  danger: [CircleAlert, 'border-danger/30 bg-danger-soft text-ink [&_svg]:text-danger'],
} as const;

/** Something to know before going on. Failures are told at once to whoever listens. */
export function Note({
  kind = 'info',
  children,
}: {
  kind?: keyof typeof KINDS;
  children: ReactNode;
}) {
  const [Icon, look] = KINDS[kind];
  return (
    <div
      role={kind === 'danger' ? 'alert' : 'status'}
      className={cn('flex gap-2.5 rounded-md border px-3 py-2.5 text-sm', look)}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="grid min-w-0 gap-1 [overflow-wrap:anywhere]">{children}</div>
    </div>
  );
}
