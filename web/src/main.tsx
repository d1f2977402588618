import './styles.css';

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { ApiFailure } from '@/lib/api.ts';
import { become, watchPresence } from '@/lib/presence.ts';
import { sessionQuery } from '@/lib/session.ts';
import { startTheme } from '@/lib/theme.ts';
import { router } from './router.tsx';

startTheme();

/** Whoever was signed in and is no more is told so by the page: it asks them to sign in again. */
function onError(error: unknown): void {
  const over = error instanceof ApiFailure && error.status === 401;
  if (over && queries.getQueryData(sessionQuery.queryKey)) become(queries, null);
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    mutations: { networkMode: 'always' },
    queries: {
      // Without a connection people hear of it, rather than wait.
      networkMode: 'always',
      // What the server refused it will refuse again; what did not answer may.
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiFailure) || error.status === 0 || error.status >= 500),
    },
  },
});

const place = document.getElementById('app');
if (place) {
  watchPresence(queries, place);
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
