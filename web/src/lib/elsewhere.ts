/** Why signing in elsewhere came to nothing, by the code in the address of the page. */
const REASONS: Record<string, string> = {
  provider_unknown: 'This way of signing in is not offered any more.',
  return_to_invalid: 'The address to return to is none of this site.',
  state_invalid: 'That took too long, or began in another browser. Please try again.',
  provider_refused: 'The provider did not let you in.',
  provider_unreachable: 'The provider does not answer. Please try again later.',
  token_invalid: 'The provider’s answer could not be trusted.',
  email_missing: 'The provider gave no e-mail address.',
  email_unverified: 'The provider has not verified your e-mail address.',
  account_unverified:
    'There is an account with this address, and nobody has proven that it is theirs. Sign in with its password and verify the address first.',
  sign_up_closed: 'Nobody can sign up here. Ask for an invitation.',
  sso_required: 'Your organization signs in at its own identity provider.',
  wrong_domain: 'Your address belongs to another domain than this connection.',
  deactivated: 'Your organization has deactivated your membership.',
  organization_full: 'The organization has as many members as its plan allows.',
  identity_taken: 'This identity belongs to another account.',
  signed_out: 'You were signed out meanwhile. Sign in and link it again.',
  too_often: 'Too many tries. Wait a little, then try again.',
  unavailable: 'Something failed here. Please try again in a moment.',
};

/** The sentence for a code; none for no code. */
export function whyNot(code: unknown): string | null {
  if (typeof code !== 'string' || code === '') return null;
  return Object.hasOwn(REASONS, code)
    ? (REASONS[code] ?? null)
    : 'Signing in elsewhere did not work. Please try again.';
}
