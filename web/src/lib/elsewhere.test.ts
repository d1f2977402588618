import { expect, test } from 'vitest';

import { whyNot } from './elsewhere.ts';

test('a code has its sentence, and every other is told in general', () => {
  expect(whyNot('email_unverified')).toContain('verified');
  expect(whyNot('<script>')).toContain('did not work');
  expect(whyNot('constructor')).toContain('did not work');
  expect(whyNot(undefined)).toBeNull();
  expect(whyNot(['a', 'b'])).toBeNull();
});
