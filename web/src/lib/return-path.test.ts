import { describe, expect, it } from 'vitest';

import { HOME, returnPath } from './return-path.ts';

describe('the way back after signing in', () => {
  it.each([
    ['/', '/'],
    [
      '/auth?callback_url=https%3A%2F%2Fa.example%2F',
      '/auth?callback_url=https%3A%2F%2Fa.example%2F',
    ],
    ['/settings/account#sessions', '/settings/account#sessions'],
    ['/auth/../settings', '/settings'],
  ])('%s is kept', (wanted, path) => {
    expect(returnPath(wanted)).toBe(path);
  });

  it.each([
    undefined,
    null,
    7,
    '',
    'settings',
    'https://evil.example/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    ' //evil.example',
    '\\\\evil.example',
    '/.//evil.example',
    '/..//evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/a b',
    '/api/v1/session',
    '/webhooks/stripe',
    `/${'x'.repeat(9_000)}`,
  ])('%j goes home', (wanted) => {
    expect(returnPath(wanted)).toBe(HOME);
  });
});
