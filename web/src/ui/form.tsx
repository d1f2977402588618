import type { ReactNode } from 'react';

import { inWords } from '@/lib/api.ts';
import { Note } from './note.tsx';

/** The texts of a form's controls, by their names. */
export type Texts = (name: string) => string;

/** A form that a script sends. What it failed by is told at its top. */
export function Form({
  onSend,
  error,
  children,
}: {
  onSend: (texts: Texts) => void;
  error?: unknown;
  children: ReactNode;
}) {
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        onSend((name) => {
          const value = data.get(name);
          return typeof value === 'string' ? value : '';
        });
      }}
    >
      {error ? <Note kind="danger">{inWords(error)}</Note> : null}
      {children}
    </form>
  );
}
