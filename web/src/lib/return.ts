import { useLocation, useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

import { HOME, returnPath } from './return-path.ts';

/** Where this page sends people back to, from its query. */
export function useReturn() {
  const router = useRouter();
  const wanted = useLocation({ select: (at) => (at.search as Record<string, unknown>).return_to });
  const path = returnPath(wanted);
  const goBack = useCallback(() => router.history.replace(path), [router, path]);
  /** The query that takes the way back along to another page. */
  const search: Record<string, string> = path === HOME ? {} : { return_to: path };
  return { path, goBack, search };
}
