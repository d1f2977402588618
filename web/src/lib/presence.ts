/** Who is signed in, as all tabs of the site and what the browser keeps of them know it. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';

import { useAct } from './act.ts';
import { call } from './api.ts';
import { type Data, type Session, sessionQuery } from './session.ts';

const CHANNEL = 'signalbox.session';
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;
const ROOT = JSON.stringify(sessionQuery.queryKey);

/** Whether two answers are about the same person, who acts for the same account. */
export function isSame(one: Session | null | undefined, other: Session | null | undefined) {
  return one?.user.id === other?.user.id && one?.context.account_id === other?.context.account_id;
}

/** Takes over who is signed in now. What was known of somebody else, or for another account, goes. */
function takeOver(queries: QueryClient, session: Session | null): void {
  queries.removeQueries({ predicate: ({ queryHash }) => queryHash !== ROOT });
  queries.setQueryData(sessionQuery.queryKey, session);
}

/** Signed in, signed out, or acting for another account: here, and in every other tab. */
export function become(queries: QueryClient, session: Session | null): void {
  takeOver(queries, session);
  channel?.postMessage('changed');
}

/** Asks anew who is signed in, since that may have changed elsewhere. */
export async function look(queries: QueryClient): Promise<void> {
  const before = queries.getQueryData(sessionQuery.queryKey);
  if (before === undefined) return;
  const now = await queries.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => before);
  if (!isSame(before, now)) {
    await queries.resetQueries({ predicate: ({ queryHash }) => queryHash !== ROOT });
  }
}

/**
 * Keeps up with other tabs, and with the browser's back button: a page that is kept in memory shows
 * nothing when it comes back before it knows whether the person is still signed in.
 */
export function watchPresence(queries: QueryClient, place: HTMLElement): void {
  channel?.addEventListener('message', () => void look(queries));
  window.addEventListener('pagehide', (event) => {
    place.hidden = event.persisted;
  });
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    void look(queries).finally(() => {
      place.hidden = false;
    });
  });
}

/** Signs out here. What the page knew of the person is forgotten. */
export function useSignOut(then: () => void) {
  const queries = useQueryClient();
  return useAct({
    mutationFn: () => call('DELETE', '/api/v1/session'),
    onSuccess: () => {
      become(queries, null);
      then();
    },
  });
}

/** Acts for another account from now on. */
export function useSwitch() {
  const queries = useQueryClient();
  return useAct({
    mutationFn: (account: string) =>
      call<Data<Session>>('PUT', '/api/v1/session/context', { account_id: account }),
    onSuccess: ({ data }) => become(queries, data),
  });
}
