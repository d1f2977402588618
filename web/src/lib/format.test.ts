import { describe, expect, it } from 'vitest';

import { ago, browser, money } from './format.ts';

describe('money', () => {
  it.each([
    [10, '$10.00'],
    [0.000001, '$0.000001'],
    [1234.5, '$1,234.50'],
    [0, '$0.00'],
  ])('%d', (amount, text) => {
    expect(money(amount)).toBe(text);
  });
});

describe('how long ago', () => {
  const now = Date.parse('2027-01-02T12:00:00Z');
  it.each([
    ['2027-01-02T11:59:30Z', 'just now'],
    ['2027-01-02T11:15:00Z', '45 minutes ago'],
    ['2027-01-02T09:59:00Z', '2 hours ago'],
    ['2027-01-01T11:00:00Z', 'yesterday'],
    ['2026-12-20T12:00:00Z', '13 days ago'],
  ])('%s', (text, words) => {
    expect(ago(text, now)).toBe(words);
  });
});

describe('a browser', () => {
  it.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'Chrome 140 on Linux',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
      'Safari 18 on macOS',
    ],
    ['curl/8.0', 'curl/8.0'],
    [null, 'Unknown browser'],
  ])('%s', (agent, words) => {
    expect(browser(agent)).toBe(words);
  });
});
