/** Where people go who have signed in and came from nowhere in particular. */
export const HOME = '/settings/account';

/** Whether a text has characters that address parsers drop or read as slashes. */
function isAmbiguous(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0x20 || code === 0x7f || character === '\\') return true;
  }
  return false;
}

/**
 * The page of this site that a person goes back to after signing in. Anything that is not certainly
 * one, such as another site's address, becomes `fallback`.
 */
export function returnPath(wanted: unknown, fallback = HOME): string {
  if (typeof wanted !== 'string' || wanted.length > 8_192) return fallback;
  if (!wanted.startsWith('/') || wanted.startsWith('//') || isAmbiguous(wanted)) return fallback;
  const base = 'http://site.invalid';
  let url: URL;
  try {
    url = new URL(wanted, base);
  } catch {
    return fallback;
  }
  const inside = url.origin === base && !url.pathname.startsWith('//');
  const isProgram = /^\/(api|webhooks|health|assets)(\/|$)/.test(url.pathname);
  return inside && !isProgram ? url.pathname + url.search + url.hash : fallback;
}
