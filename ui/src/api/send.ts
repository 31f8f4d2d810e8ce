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
  const request: RequestInit = { method, signal: AbortSignal.timeout(LIMIT), headers: { accept: 'application/json' } };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { accept: 'application/json', 'content-type': 'application/json' };
  }
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(`${base}${path}`, request);
    correct(response.headers.get('date'));
    answer = await response.json();
  } catch (cause) {
    throw new ApiError(0, cause instanceof Error ? cause.message : String(cause), '', undefined);
  }
  if (isEnvelope(answer) && answer.code === 200) return answer.data as T;
  const { headers } = response;
  const later = retryAt(headers.get('retry-after'), new Date());
  // Something in front of Podgate, such as a proxy, does not answer with an envelope.
  const envelope = isEnvelope(answer) ? answer : { code: response.status * 1000, message: response.statusText };
  throw new ApiError(envelope.code, envelope.message ?? '', headers.get('x-request-id') ?? '', later);
}
