import { expect, it } from 'vitest';

import { parseSearch, stringifySearch } from './search.ts';

it.each([
  ['', ''],
  ['?limit=10&x=true', '?limit=10&x=true'],
  ['?a=1&a=2&b=', '?a=1&a=2&b='],
  ['?u=https%3A%2F%2Fa.example%2F%3Fs%3D1', '?u=https%3A%2F%2Fa.example%2F%3Fs%3D1'],
])('a query stays what it is: %s', (text, written) => {
  expect(stringifySearch(parseSearch(text))).toBe(written);
});
