import { expect, test } from 'vitest';

import { ApiFailure, failureOf, faultOf, inWords } from './api.ts';

test('what the server says of a part of a form belongs to that part', () => {
  expect(faultOf(new ApiFailure(400, 'new_password: at least 10 characters'))).toEqual({
    field: 'new_password',
    text: 'At least 10 characters.',
  });
  expect(faultOf(new ApiFailure(400, 'A name has at most 100 characters'))).toBeNull();
  expect(faultOf(new ApiFailure(409, 'name: taken'))).toBeNull();
  expect(faultOf(new TypeError('name: of undefined'))).toBeNull();
});

test('every failure is told in a sentence', () => {
  expect(inWords(new ApiFailure(403, 'Wrong code'))).toBe('Wrong code.');
  expect(inWords(new ApiFailure(400, 'client_id: 1 to 9 characters'))).toBe(
    'Client id: 1 to 9 characters.',
  );
  expect(inWords(new ApiFailure(404, 'Resource not found'))).toMatch(/^That is not there/);
  expect(inWords(new ApiFailure(500, 'store: row 7 is damaged'))).not.toMatch(/row 7/);
  expect(inWords(new ApiFailure(429, 'Rate limit exceeded', {}, 12))).toMatch(/Wait 12 s/);
  expect(inWords(new ApiFailure(429, 'Rate limit exceeded'))).toMatch(/Wait a little/);
  expect(inWords(new Error('x is not a function'))).not.toMatch(/function/);
});

test('an answer that is no JSON, or none of ours, is a failure all the same', () => {
  for (const body of [null, 'text', [], { error: 'text' }, { error: { message: 7 } }]) {
    expect(failureOf(502, body, null).message).toBe('The server answered 502.');
  }
  expect(failureOf(429, null, 'soon').retryAfter).toBeNull();
  expect(failureOf(429, null, '-1').retryAfter).toBeNull();
  expect(failureOf(429, null, '1.2').retryAfter).toBe(2);
});
