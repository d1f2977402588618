import { queryOptions } from '@tanstack/react-query';

import { call } from './api.ts';
import { type Data, type Role, unless } from './session.ts';

/** The page of an organization's members. */
export const MEMBERS = '/settings/organization-members';

export interface Member {
  id: string;
  email: string;
  first_name: string | null;
  last_name: string | null;
  role: Role;
  active: boolean;
  source: 'manual' | 'scim' | 'sso';
  created_at: string;
}

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  created_at: string;
  expires_at: string;
}

/** A connection of a domain to an identity provider. */
export interface Connection {
  id: string;
  domain: string;
  origin: 'self-serve' | 'configured by operator';
  status: 'pending' | 'active' | 'disabled';
  dns: { type: string; name: string; host: string; value: string };
  verified_at: string | null;
  issuer: string | null;
  client_id: string | null;
  has_client_secret: boolean;
  redirect_uri: string;
  tested_at: string | null;
}

export interface Sso {
  enabled_at: string | null;
  connections: Connection[];
}

/** What a directory shows to provision people. */
export interface ScimToken {
  id: string;
  name: string;
  connection_id: string;
  created_at: string;
  last_used_at: string | null;
}

export const at = (organization: string) =>
  `/api/v1/session/organizations/${organization}` as const;
export const SCIM_TOKENS = '/api/v1/scim/tokens';

export const membersQuery = (organization: string) =>
  queryOptions({
    queryKey: ['organization', organization, 'members'],
    queryFn: () =>
      call<Data<Member[]>>('GET', `${at(organization)}/members`).then(({ data }) => data),
  });

export const invitationsQuery = (organization: string) =>
  queryOptions({
    queryKey: ['organization', organization, 'invitations'],
    queryFn: () =>
      call<Data<Invitation[]>>('GET', `${at(organization)}/invitations`).then(({ data }) => data),
  });

/** Single sign-on; null for who is not to know of it: ordinary members, and other plans. */
export const ssoQuery = (organization: string) =>
  queryOptions({
    queryKey: ['organization', organization, 'sso'],
    queryFn: () =>
      unless<Sso | null>(
        [403, 404],
        null,
        call<Data<Sso>>('GET', `${at(organization)}/sso`).then(({ data }) => data),
      ),
  });

export const tokensQuery = (organization: string) =>
  queryOptions({
    queryKey: ['organization', organization, 'scim-tokens'],
    queryFn: () => call<Data<ScimToken[]>>('GET', SCIM_TOKENS).then(({ data }) => data),
  });

/** What a person is called, and their address if that is not it. */
export function called(member: Member): { name: string; email: string | null } {
  const name = [member.first_name, member.last_name].filter(Boolean).join(' ');
  return name === '' ? { name: member.email, email: null } : { name, email: member.email };
}

/** The members in whose name or address all words of a text are. */
export function found(members: Member[], text: string): Member[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return members.filter(({ first_name, last_name, email }) => {
    const whole = `${first_name ?? ''} ${last_name ?? ''} ${email}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** How far a connection has come. */
export function stage(one: Connection): 'verify' | 'connect' | 'test' | 'activate' | 'active' {
  if (one.status === 'active') return 'active';
  if (one.verified_at === null) return 'verify';
  if (one.issuer === null || one.client_id === null) return 'connect';
  return one.tested_at === null && one.origin === 'self-serve' ? 'test' : 'activate';
}
