import { cva, type VariantProps } from 'class-variance-authority';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';

import { cn } from './class.ts';

const look = cva(
  'inline-flex cursor-pointer items-center justify-center gap-2 rounded-md border font-medium whitespace-nowrap transition-colors select-none disabled:cursor-default disabled:opacity-55 aria-disabled:cursor-default aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      kind: {
        primary: 'border-transparent bg-accent text-accent-ink hover:not-disabled:bg-accent-strong',
        plain:
          'border-line-strong bg-surface text-ink hover:not-disabled:border-control hover:not-disabled:bg-sunken',
        quiet:
          'border-transparent bg-transparent text-muted hover:not-disabled:bg-sunken hover:not-disabled:text-ink',
        danger: 'border-line-strong bg-surface text-danger hover:not-disabled:bg-danger-soft',
      },
      size: {
        base: 'h-9 px-3.5 text-base',
        small: 'h-7.5 px-2.5 text-sm',
        icon: 'size-8',
      },
      wide: { true: 'w-full', false: '' },
    },
    defaultVariants: { kind: 'plain', size: 'base', wide: false },
  },
);

type Props = ComponentProps<'button'> &
  VariantProps<typeof look> & {
    /** Gives the look to the child, such as a link. */
    asChild?: boolean;
    /** Something is under way that it began. It can't be pressed, stays where it is, and keeps the focus. */
    busy?: boolean;
  };

export function Button({
  className,
  kind,
  size,
  wide,
  asChild,
  busy = false,
  onClick,
  ...rest
}: Props) {
  const classes = cn(look({ kind, size, wide }), className);
  if (asChild) return <Slot.Root className={classes} onClick={onClick} {...rest} />;
  return (
    <button
      type="button"
      className={classes}
      // Not `disabled`: that would take the focus away from whoever works with the keyboard.
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    />
  );
}
