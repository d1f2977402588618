/** What a request to the server of this page came to when it was not done. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';

  constructor(
    /** The HTTP status; 0 when nothing answered. */
    readonly status: number,
    message: string,
    /** What the server adds for programs. */
    readonly metadata: Readonly<Record<string, unknown>> = {},
    /** Seconds after which another try makes sense. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The failure in an answer: `{"error": {"message", "metadata"}}`. */
export function failureOf(status: number, body: unknown, retryAfter: string | null): ApiFailure {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const said = typeof error.message === 'string' ? error.message : '';
  const metadata = isObject(error.metadata) ? error.metadata : {};
  const seconds = Number(retryAfter ?? NaN);
  const wait = Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : null;
  return new ApiFailure(status, said || `The server answered ${status}.`, metadata, wait);
}

/**
 * Asks the server of this page, with the person's session.
 *
 * @throws {ApiFailure} for every answer that is not 2xx, and when there is none.
 */
export async function call<Answer>(
  method: Method,
  path: `/api/v1/${string}`,
  body?: unknown,
): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiFailure(0, 'The server could not be reached. Check the connection and try again.');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response.status, answer, response.headers.get('retry-after'));
  return answer as Answer;
}

/** A sentence as people write it. */
function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** The part of what was sent that the server found fault with, and what it says of it. */
export function faultOf(error: unknown): { field: string; text: string } | null {
  if (!(error instanceof ApiFailure) || error.status !== 400) return null;
  const [, field, text] = /^([a-z_]+): (.+)$/s.exec(error.message) ?? [];
  return field === undefined || text === undefined ? null : { field, text: sentence(text) };
}

/** A failure in words for a person. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiFailure)) return 'Something went wrong in this page. Reload it.';
  if (error.status === 429) {
    const wait = error.retryAfter === null ? 'a little' : `${error.retryAfter} s`;
    return `Too many tries. Wait ${wait}, then try again.`;
  }
  if (error.status === 404) return 'That is not there any more, or not for you to see.';
  if (error.status === 500) return 'The server failed at this. Please try again later.';
  const fault = faultOf(error);
  if (fault !== null) return sentence(`${fault.field.replaceAll('_', ' ')}: ${fault.text}`);
  return sentence(error.message);
}
