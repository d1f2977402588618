import { describe, expect, it } from 'vitest';

import { amountOf, decidedWish, type Request, Unreadable, wishOf, withCode } from './consent.ts';

describe('what an app asks for', () => {
  it('is read from the query, and nothing else is', () => {
    const search =
      '?callback_url=http%3A%2F%2Flocalhost%3A3000%2Fcb&code_challenge=abc&limit=2.50' +
      '&usage_limit_type=daily&key_label=My+app&state=x&spawn_agent=y&expires_at=';
    expect(wishOf(search)).toEqual({
      callback_url: 'http://localhost:3000/cb',
      code_challenge: 'abc',
      limit: 2.5,
      usage_limit_type: 'daily',
      key_label: 'My app',
    });
  });

  it.each(['?callback_url=a&callback_url=b', '?limit=1&limit=2', '?limit=-1', '?limit=1e3'])(
    'can not be read in two ways: %s',
    (search) => {
      expect(() => wishOf(search)).toThrow(Unreadable);
    },
  );
});

describe('an amount', () => {
  it.each([
    ['10', 10],
    [' 0.000001 ', 0.000001],
    ['0', 0],
    ['123456789.5', 123456789.5],
  ])('%s', (text, amount) => {
    expect(amountOf(text)).toBe(amount);
  });

  it.each(['', '-1', '+1', '1,5', '1e3', '.5', '1.', '0.0000001', 'NaN', 'Infinity', '1234567890'])(
    'is not %j',
    (text) => {
      expect(amountOf(text)).toBeNull();
    },
  );
});

describe('the way back to the app', () => {
  it('keeps what the callback asks already', () => {
    expect(withCode('https://a.example/', 'c')).toBe('https://a.example/?code=c');
    expect(withCode('https://a.example/cb?state=1', 'c&d')).toBe(
      'https://a.example/cb?state=1&code=c%26d',
    );
  });
});

describe('what the person decides', () => {
  const request: Request = {
    app_title: 'a.example',
    callback_url: 'https://a.example/',
    key_label: 'a.example',
    limit: 10,
    usage_limit_type: 'daily',
    expires_at: null,
    workspace_id: 'w1',
    workspaces: [],
  };
  const wish = { callback_url: 'HTTPS://A.example', limit: 10, usage_limit_type: 'daily' };

  it('takes the place of what the app proposed', () => {
    const decided = { workspace_id: 'w2', limit: 2 };
    expect(decidedWish(wish, request, decided)).toEqual({
      callback_url: 'https://a.example/',
      workspace_id: 'w2',
      limit: 2,
    });
  });

  it('sends nobody anywhere without a callback', () => {
    const headless = decidedWish(
      { code_challenge: 'c' },
      { ...request, callback_url: null },
      {
        workspace_id: 'w1',
      },
    );
    expect(headless).toEqual({ code_challenge: 'c', workspace_id: 'w1' });
  });
});
