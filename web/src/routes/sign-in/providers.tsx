import { useQuery } from '@tanstack/react-query';

import { providersQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';

/** Buttons for signing in elsewhere. Nothing is there until there is somebody, and when none is. */
export function Providers({ path }: { path: string }) {
  const { data: providers = [] } = useQuery(providersQuery);
  if (providers.length === 0) return null;
  return (
    <div className="grid gap-2.5">
      <div className="flex items-center gap-3 text-sm text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or
      </div>
      {providers.map((one) => (
        <Button asChild wide key={one.id}>
          <a href={`${one.url}?${new URLSearchParams({ return_to: path })}`}>
            Continue with {one.name}
          </a>
        </Button>
      ))}
    </div>
  );
}
