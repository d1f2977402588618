import type { ReactNode } from 'react';

import { cn } from './class.ts';

const LOOK = {
  plain: 'bg-sunken text-muted',
  good: 'bg-accent-soft text-accent',
  caution: 'bg-caution-soft text-caution',
} as const;

/** A word about something, beside its name. */
export function Tag({
  kind = 'plain',
  children,
}: {
  kind?: keyof typeof LOOK;
  children: ReactNode;
}) {
  return (
    <span className={cn('rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap', LOOK[kind])}>
      {children}
    </span>
  );
}
