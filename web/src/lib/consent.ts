import { call } from './api.ts';

export const INTERVALS = ['daily', 'weekly', 'monthly'] as const;
export type Interval = (typeof INTERVALS)[number];

/** What an app asks for, as the server takes it. */
export interface CodeWish {
  callback_url?: string;
  code_challenge?: string;
  code_challenge_method?: string;
  key_label?: string;
  limit?: number;
  usage_limit_type?: string;
  expires_at?: string;
  workspace_id?: string;
}

/** A request of an app, checked by the server. */
export interface Request {
  app_title: string;
  callback_url: string | null;
  key_label: string;
  limit: number | null;
  usage_limit_type: Interval | null;
  expires_at: string | null;
  workspace_id: string;
  workspaces: { id: string; name: string }[];
}

const TEXTS = [
  'callback_url',
  'code_challenge',
  'code_challenge_method',
  'key_label',
  'usage_limit_type',
  'expires_at',
  'workspace_id',
] as const;

/** A parameter that can be read in more than one way. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/**
 * The wish in the query of `/auth`. Parameters that it does not know are passed over.
 *
 * @throws {Unreadable} for one that is there twice, or a limit that is no amount.
 */
export function wishOf(search: string): CodeWish {
  const query = new URLSearchParams(search);
  const one = (name: string): string | undefined => {
    const values = query.getAll(name);
    if (values.length > 1) throw new Unreadable(`${name} is there twice.`);
    return values[0] === '' ? undefined : values[0];
  };
  const wish: CodeWish = {};
  for (const name of TEXTS) {
    const value = one(name);
    if (value !== undefined) wish[name] = value;
  }
  const limit = one('limit');
  if (limit !== undefined) {
    const amount = amountOf(limit);
    if (amount === null) throw new Unreadable('limit is not an amount in dollars.');
    wish.limit = amount;
  }
  return wish;
}

/** Dollars in a text such as `12.50`: no signs, no exponents, millionths at most. */
export function amountOf(text: string): number | null {
  const plain = text.trim();
  return /^\d{1,9}(\.\d{1,6})?$/.test(plain) ? Number(plain) : null;
}

/** What a person decides: without a limit, all credit there is; without a span, it never begins anew. */
export interface Decided {
  workspace_id: string;
  limit?: number;
  usage_limit_type?: Interval;
}

/** The wish of the app, with what the person decided in the place of what the app proposed. */
export function decidedWish(wish: CodeWish, request: Request, decided: Decided): CodeWish {
  const { limit: _limit, usage_limit_type: _span, ...rest } = wish;
  const callback = request.callback_url;
  return { ...rest, ...(callback === null ? {} : { callback_url: callback }), ...decided };
}

/** Where the browser goes with a code. The server has checked the URL and gave it one spelling. */
export function withCode(callback: string, code: string): string {
  const mark = callback.includes('?') ? '&' : '?';
  return `${callback}${mark}code=${encodeURIComponent(code)}`;
}

export function requested(wish: CodeWish): Promise<Request> {
  return call<{ data: Request }>('POST', '/api/v1/session/consent', wish).then(({ data }) => data);
}

/** Consents: a code, good once, for ten minutes. */
export function consent(wish: CodeWish): Promise<string> {
  return call<{ data: { id: string } }>('POST', '/api/v1/auth/keys/code', wish).then(
    ({ data }) => data.id,
  );
}
