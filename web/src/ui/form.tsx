import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';

import { faultOf, inWords } from '@/lib/api.ts';
import { Note } from './note.tsx';

/** The texts of a form's controls, by their names. */
export type Texts = (name: string) => string;

const Fault = createContext<ReturnType<typeof faultOf>>(null);

/** What the server found wrong with the control of this name. */
export function useFault(name: string | undefined): string | null {
  const fault = useContext(Fault);
  return fault !== null && fault.field === name ? fault.text : null;
}

/**
 * A form that a script sends. What it failed by is told at the control that it is about, which gets the
 * focus, or else at the top.
 */
export function Form({
  onSend,
  error,
  children,
  className = 'grid gap-4',
}: {
  onSend: (texts: Texts) => void;
  error?: unknown;
  children: ReactNode;
  className?: string;
}) {
  const form = useRef<HTMLFormElement>(null);
  const [sent, setSent] = useState<string[]>([]);
  const found = faultOf(error);
  const fault = found !== null && sent.includes(found.field) ? found : null;
  const field = fault?.field;
  useEffect(() => {
    if (field === undefined) return;
    const control = form.current?.elements.namedItem(field);
    if (control instanceof HTMLElement) control.focus();
  }, [field, error]);
  return (
    <form
      ref={form}
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        setSent([...data.keys()]);
        onSend((name) => {
          const value = data.get(name);
          return typeof value === 'string' ? value : '';
        });
      }}
    >
      {error && fault === null ? <Note kind="danger">{inWords(error)}</Note> : null}
      <Fault value={fault}>{children}</Fault>
    </form>
  );
}
