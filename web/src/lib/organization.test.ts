import { expect, test } from 'vitest';

import { called, type Connection, found, type Member, stage } from './organization.ts';

const member = (
  email: string,
  first: string | null = null,
  last: string | null = null,
): Member => ({
  id: email,
  email,
  first_name: first,
  last_name: last,
  role: 'org:member',
  active: true,
  source: 'manual',
  created_at: '2026-01-01T00:00:00Z',
});

test('people are found by parts of their name or address, in any order', () => {
  const ada = member('ada@example.com', 'Ada', 'Lovelace');
  const all = [ada, member('bob@example.com'), member('eve@other.example', 'Eve')];
  expect(found(all, 'LOVE ada')).toEqual([ada]);
  expect(found(all, 'example.com')).toHaveLength(2);
  expect(found(all, '  ')).toHaveLength(3);
  expect(found(all, 'ada bob')).toEqual([]);
});

test('a person without a name is called by their address, once', () => {
  expect(called(member('a@b.example'))).toEqual({ name: 'a@b.example', email: null });
  expect(called(member('a@b.example', null, 'Byron'))).toEqual({
    name: 'Byron',
    email: 'a@b.example',
  });
});

test('a connection goes from a proven domain over a provider and a test into use', () => {
  const none: Connection = {
    id: '1',
    domain: 'works.example',
    origin: 'self-serve',
    status: 'pending',
    dns: { type: 'TXT', name: '_signalbox.works.example', host: '_signalbox', value: 'v' },
    verified_at: null,
    issuer: null,
    client_id: null,
    has_client_secret: false,
    redirect_uri: 'https://gate.example/api/v1/session/callback/1',
    tested_at: null,
  };
  const verified = { ...none, verified_at: '2026-01-01T00:00:00Z' };
  const connected = { ...verified, issuer: 'https://idp.example', client_id: 'us' };
  const tested = { ...connected, tested_at: '2026-01-01T00:00:00Z' };
  expect([none, verified, connected, tested].map(stage)).toEqual([
    'verify',
    'connect',
    'test',
    'activate',
  ]);
  expect(stage({ ...connected, origin: 'configured by operator' })).toBe('activate');
  expect(stage({ ...tested, status: 'active' })).toBe('active');
  expect(stage({ ...tested, status: 'disabled' })).toBe('activate');
});
