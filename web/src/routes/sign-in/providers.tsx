import { useQuery } from '@tanstack/react-query';

import { call } from '@/lib/api.ts';
import type { Provider } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';

/** Those who can say who a person is, where the operator has named any. */
const providersQuery = {
  queryKey: ['providers'],
  queryFn: () =>
    call<{ data: Provider[] }>('GET', '/api/v1/session/providers').then(({ data }) => data),
  staleTime: Infinity,
  retry: false,
};

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
