import { useRouter } from '@tanstack/react-router';
import { useCallback, useState } from 'react';

import { HOME, returnPath } from './return-path.ts';

/** Where this page sends people back to, from its query. */
export function useReturn() {
  const router = useRouter();
  // Read once: on the way to another page the address is that page's already.
  const [path] = useState(() => {
    const search: { return_to?: unknown } = router.state.location.search;
    return returnPath(search.return_to);
  });
  const goBack = useCallback(() => router.history.replace(path), [router, path]);
  /** The query that takes the way back along to another page. */
  const search: Record<string, string> = path === HOME ? {} : { return_to: path };
  return { path, goBack, search };
}
