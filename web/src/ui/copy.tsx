import { Check, Copy as CopyIcon } from 'lucide-react';
import { useEffect, useState } from 'react';

import { Button } from './button.tsx';

/** Copies a text, and shows for two seconds that it did. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Button
      size="small"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}
    >
      {done ? <Check aria-hidden className="text-accent" /> : <CopyIcon aria-hidden />}
      <span aria-live="polite">{done ? 'Copied' : label}</span>
    </Button>
  );
}

/** A secret or an address that is to be copied. */
export function Copied({ text, label = 'Copy' }: { text: string; label?: string }) {
  return (
    <div className="flex flex-wrap items-start justify-end gap-x-3 gap-y-2 rounded-md border border-line bg-sunken p-3">
      <code className="min-w-48 flex-1 py-1 font-mono text-sm break-all select-all">{text}</code>
      <Copy text={text} label={label} />
    </div>
  );
}
