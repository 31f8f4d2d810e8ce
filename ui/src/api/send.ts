import { base } from '../app/base';
import { correct } from '../app/clock';
import { ApiError } from './error';

/** How long an answer may take to begin, in milliseconds. */
const LIMIT = 30_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface Envelope {
  code: number;
  message?: string;
  data: unknown;
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'number';
}

/** Returns the time in a `Retry-After` of seconds, counted from `now`. */
export function retryAt(header: string | null, now: Date): Date | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? new Date(now.getTime() + seconds * 1000) : undefined;
}

/**
 * Sends one request to the API and returns the `data` of its answer. Log-in, refresh and log-out use
 * it; every other call is {@link call} of client.ts, which outlives an access token.
 *
 * @throws {ApiError} for every other outcome, also if there is no connection.
 */
export async function send<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const [response, answer] = await exchange(path, jsonRequest(method, body), (got): Promise<unknown> => got.json());
  if (isEnvelope(answer) && answer.code === 200) return answer.data as T;
  throw refusal(response, answer);
}

/** What an answer holds, with the tag of its state. */
export interface Tagged<T> {
  readonly value: T;
  readonly tag: string;
}

/**
 * Sends a request about something that has an `ETag`.
 *
 * @param tag The state that is to be replaced: any other one is refused with 409001.
 * @throws {ApiError} as {@link send} does.
 */
export async function sendTagged<T>(method: Method, path: string, body?: unknown, tag?: string): Promise<Tagged<T>> {
  const [response, answer] = await exchange(path, jsonRequest(method, body, tag), (got): Promise<unknown> =>
    got.json(),
  );
  if (!isEnvelope(answer) || answer.code !== 200) throw refusal(response, answer);
  return { value: answer.data as T, tag: response.headers.get('etag') ?? '' };
}

/** Returns a request with a body of JSON, if it has one. */
function jsonRequest(method: Method, body?: unknown, tag?: string): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (tag !== undefined) headers['if-match'] = tag;
  if (body === undefined) return { method, headers };
  return { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * Reads a text of a media type from the API, which answers with an envelope only if it refuses.
 *
 * @throws {ApiError} as {@link send} does.
 */
export async function sendForText(path: string, accept: string): Promise<string> {
  const request: RequestInit = { method: 'GET', headers: { accept } };
  const [response, answer] = await exchange(
    path,
    request,
    (got) => (got.ok ? got.text() : got.json()) as Promise<unknown>,
  );
  if (response.ok && typeof answer === 'string') return answer;
  throw refusal(response, answer);
}

/** Sends a request and reads its answer whole. */
async function exchange(
  path: string,
  request: RequestInit,
  read: (response: Response) => Promise<unknown>,
): Promise<[Response, unknown]> {
  try {
    const response = await fetch(`${base}${path}`, { ...request, signal: AbortSignal.timeout(LIMIT) });
    correct(response.headers.get('date'));
    return [response, await read(response)];
  } catch (cause) {
    throw new ApiError(0, cause instanceof Error ? cause.message : String(cause), '', undefined);
  }
}

/** Returns the error that an answer other than a success stands for. */
function refusal(response: Response, answer: unknown): ApiError {
  const { headers } = response;
  const later = retryAt(headers.get('retry-after'), new Date());
  // Something in front of Podgate, such as a proxy, does not answer with an envelope.
  const envelope = isEnvelope(answer) ? answer : { code: response.status * 1000, message: response.statusText };
  return new ApiError(envelope.code, envelope.message ?? '', headers.get('x-request-id') ?? '', later);
}
