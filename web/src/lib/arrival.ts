import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { whyNot } from './elsewhere.ts';

/** What an identity provider left in the address of this page. It is read once and leaves the address. */
export function useArrival() {
  const router = useRouter();
  const [arrival] = useState(() => {
    const search: Record<string, unknown> = router.state.location.search;
    const done = typeof search.done === 'string' ? search.done.slice(0, 253) : null;
    return { problem: whyNot(search.error), done };
  });
  const came = arrival.problem !== null || arrival.done !== null;
  useEffect(() => {
    if (!came) return;
    const url = new URL(window.location.href);
    url.searchParams.delete('error');
    url.searchParams.delete('done');
    router.history.replace(url.pathname + url.search + url.hash);
  }, [came, router]);
  return arrival;
}
