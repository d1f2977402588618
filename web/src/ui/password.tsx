import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useState } from 'react';

import { Field } from './field.tsx';

/** Least characters of a new password. */
export const LEAST = 10;

/** A password, which its owner may look at. */
export function Password({
  label = 'Password',
  ...rest
}: Omit<ComponentProps<typeof Field>, 'label' | 'type'> & { label?: string }) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <div className="relative">
      <Field
        label={label}
        type={shown ? 'text' : 'password'}
        className="pr-10"
        required
        {...rest}
      />
      <button
        type="button"
        aria-label={shown ? 'Hide the password' : 'Show the password'}
        onClick={() => setShown(!shown)}
        className="absolute top-6.5 right-0 flex h-9 w-10 cursor-pointer items-center justify-center rounded-md text-muted hover:text-ink"
      >
        <Icon aria-hidden className="size-4" />
      </button>
    </div>
  );
}
