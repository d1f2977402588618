/**
 * Tokens that were mailed come behind the `#` of a page's address, where no server and no log sees
 * them. They leave the address at once and are kept for the tab until they are used, so that a person
 * may sign in meanwhile.
 */

export type Purpose = 'reset' | 'verify' | 'invitation';

const key = (purpose: Purpose) => `signalbox.token.${purpose}`;

/** The token in a fragment such as `#token=abc`. */
export function tokenIn(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token');
  return token !== null && /^[\w.-]{1,256}$/.test(token) ? token : null;
}

/** The token of this page, or the one that the tab keeps. */
export function takeToken(purpose: Purpose): string | null {
  const token = tokenIn(window.location.hash);
  if (token === null) return keptToken(purpose);
  const bare = window.location.pathname + window.location.search;
  window.history.replaceState(window.history.state, '', bare);
  sessionStorage.setItem(key(purpose), token);
  return token;
}

export function keptToken(purpose: Purpose): string | null {
  return sessionStorage.getItem(key(purpose));
}

export function forgetToken(purpose: Purpose): void {
  sessionStorage.removeItem(key(purpose));
}
