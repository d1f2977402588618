import { type ClassValue, clsx } from 'clsx';
import { twMerge } from 'tailwind-merge';

/** Class names; a later one wins over an earlier one that sets the same. */
export function cn(...values: ClassValue[]): string {
  return twMerge(clsx(values));
}
