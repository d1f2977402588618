import { queryOptions, useQuery } from '@tanstack/react-query';

import { ApiFailure, call } from './api.ts';

/** What somebody may do in an organization. */
export type Role = 'org:admin' | 'org:member';

/** An account that a person may act for. */
export interface Context {
  account_id: string;
  kind: 'personal' | 'organization';
  name: string | null;
  role: Role;
}

export interface User {
  id: string;
  email: string;
  email_verified: boolean;
  first_name: string | null;
  last_name: string | null;
  second_factor: boolean;
  created_at: string;
}

export interface Session {
  id: string;
  user: User;
  context: Context;
  contexts: Context[];
  created_at: string;
  expires_at: string;
}

/** One of the places where a person is signed in. */
export interface Place {
  id: string;
  current: boolean;
  address: string | null;
  agent: string | null;
  created_at: string;
  seen_at: string;
  expires_at: string;
}

/** Somebody else who can say who a person is. */
export interface Provider {
  id: string;
  name: string;
  url: string;
}

/** An answer of the server. */
export interface Data<T> {
  data: T;
}

/** What stands for an answer with one of these statuses. */
export async function unless<T>(statuses: number[], instead: T, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiFailure && statuses.includes(error.status)) return instead;
    throw error;
  }
}

/** Who is signed in; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () =>
    unless<Session | null>(
      [401],
      null,
      call<Data<Session>>('GET', '/api/v1/session').then(({ data }) => data),
    ),
  staleTime: 30_000,
  // Another tab, or another device, may have ended it.
  refetchOnWindowFocus: 'always',
  // The page that tells of a failure has a bar that asks, too: that is no new try.
  retryOnMount: false,
});

export const placesQuery = queryOptions({
  queryKey: ['session', 'places'],
  queryFn: () => call<Data<Place[]>>('GET', '/api/v1/session/sessions').then(({ data }) => data),
});

/** Those who can say who a person is, where the operator has named any. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: () =>
    call<Data<Provider[]>>('GET', '/api/v1/session/providers').then(({ data }) => data),
  staleTime: Infinity,
  retry: false,
});

export function useSession() {
  return useQuery(sessionQuery);
}

export interface SignIn {
  email: string;
  password: string;
  code?: string;
}

export function signIn(wish: SignIn): Promise<Session> {
  return call<Data<Session>>('POST', '/api/v1/session/sign-in', wish).then(({ data }) => data);
}

/** Ends a sign-in elsewhere that waits for the second factor. */
export function finishSignIn(code: string): Promise<Session> {
  return call<Data<Session>>('POST', '/api/v1/session/sign-in/code', { code }).then(
    ({ data }) => data,
  );
}

/** Whether signing in failed for want of a code of the second factor. */
export function needsCode(error: unknown): boolean {
  return (
    error instanceof ApiFailure && error.status === 401 && Boolean(error.metadata.second_factor)
  );
}

/** Where people of the domain sign in, if that is why signing in here failed. */
export function singleSignOn(error: unknown): string | null {
  if (!(error instanceof ApiFailure) || error.status !== 403) return null;
  const sso = error.metadata.sso as { url?: unknown } | undefined;
  return typeof sso?.url === 'string' && sso.url.startsWith('/api/v1/') ? sso.url : null;
}

/** What a person is in an organization. */
export function roleOf({ role }: { role: Role }): string {
  return role === 'org:admin' ? 'admin' : 'member';
}

/** What a context is called. */
export function nameOf(context: Context): string {
  return context.name ?? 'Personal';
}
