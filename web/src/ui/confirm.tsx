import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';

import { inWords } from '@/lib/api.ts';
import { Button } from './button.tsx';
import { Note } from './note.tsx';

/**
 * Says what will happen, and asks whether it shall. The browser's own dialog: the rest of the page is out
 * of reach, Escape is no, and the focus goes back to where it was.
 */
export function Confirm({
  title,
  children,
  yes,
  kind = 'danger',
  busy,
  error,
  onYes,
  onNo,
}: {
  title: string;
  children: ReactNode;
  /** What the button says that does it. */
  yes: string;
  kind?: 'danger' | 'primary';
  busy: boolean;
  error?: unknown;
  onYes: () => void;
  onNo: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Closed before it leaves the page, so that the browser gives the focus back.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-text`}
      onCancel={(event) => {
        event.preventDefault();
        onNo();
      }}
      className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded-xl border border-line-strong bg-surface p-5 text-ink backdrop:bg-black/40"
    >
      <div className="grid gap-4">
        <h2 id={`${id}-title`} className="text-lg font-semibold [overflow-wrap:anywhere]">
          {title}
        </h2>
        <div id={`${id}-text`} className="grid gap-2 text-muted [overflow-wrap:anywhere]">
          {children}
        </div>
        {error ? <Note kind="danger">{inWords(error)}</Note> : null}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onNo}>Cancel</Button>
          <Button kind={kind} busy={busy} onClick={onYes}>
            {yes}
          </Button>
        </div>
      </div>
    </dialog>
  );
}
