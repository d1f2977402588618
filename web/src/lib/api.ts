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

/** A failure in words for a person. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiFailure)) return 'Something went wrong in this page. Reload it.';
  if (error.status === 429) {
    const wait = error.retryAfter === null ? 'a little' : `${error.retryAfter} s`;
    return `Too many tries. Wait ${wait}, then try again.`;
  }
  return error.message;
}
