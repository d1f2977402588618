import { type ComponentProps, type ReactNode, useId } from 'react';

import { cn } from './class.ts';
import { useFault } from './form.tsx';

export const CONTROL =
  'h-9 w-full rounded-md border border-control bg-surface px-3 text-base text-ink transition-colors placeholder:text-muted hover:border-muted disabled:opacity-60 aria-invalid:border-danger';

interface Parts {
  label: ReactNode;
  /** What helps to fill it in. */
  hint?: ReactNode;
  /** What is wrong with what it holds. */
  error?: string | null;
  /** Beside the label, at the end of its line. */
  aside?: ReactNode;
}

/** A label, its control, and what is said about it. */
function Labelled({
  id,
  label,
  hint,
  error,
  aside,
  children,
}: Parts & { id: string; children: ReactNode }) {
  return (
    <div className="relative grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children}
      {/* Beside the label for the eye; behind the control for whoever goes from one to the next. */}
      {aside ? <div className="absolute top-0 right-0 text-sm">{aside}</div> : null}
      {error ? (
        <p id={`${id}-error`} role="alert" className="text-sm text-danger">
          {error}
        </p>
      ) : null}
      {hint ? (
        <p id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function described(id: string, { hint, error }: Pick<Parts, 'hint' | 'error'>) {
  const ids = [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean);
  return {
    'aria-describedby': ids.join(' ') || undefined,
    'aria-invalid': error ? true : undefined,
  };
}

export function Field({
  label,
  hint,
  error: own,
  aside,
  prefix,
  className,
  ...rest
}: Parts & { prefix?: string } & Omit<ComponentProps<'input'>, 'prefix'>) {
  const id = useId();
  const fault = useFault(rest.name);
  const error = own ?? fault;
  return (
    <Labelled id={id} {...{ label, hint, error, aside }}>
      <div className="relative">
        {prefix === undefined ? null : (
          <span
            aria-hidden
            className="pointer-events-none absolute inset-y-0 left-3 flex items-center text-muted"
          >
            {prefix}
          </span>
        )}
        <input
          id={id}
          className={cn(CONTROL, prefix !== undefined && 'pl-6.5', className)}
          {...described(id, { hint, error })}
          {...rest}
        />
      </div>
    </Labelled>
  );
}

export function Choice({
  label,
  hint,
  error: own,
  aside,
  className,
  children,
  ...rest
}: Parts & ComponentProps<'select'>) {
  const id = useId();
  const fault = useFault(rest.name);
  const error = own ?? fault;
  return (
    <Labelled id={id} {...{ label, hint, error, aside }}>
      <select
        id={id}
        className={cn(CONTROL, 'pr-8', className)}
        {...described(id, { hint, error })}
        {...rest}
      >
        {children}
      </select>
    </Labelled>
  );
}
