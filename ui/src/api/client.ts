import { base } from '../app/base';
import { correct } from '../app/clock';

/** A call that did not succeed. */
export class ApiError extends Error {
  constructor(
    /** The code of docs/api.md, such as 401001; 0 if no answer came. */
    readonly code: number,
    message: string,
    /** The request's ID, for whoever runs the server. */
    readonly requestId: string,
    /** When another try makes sense, if the server said so. */
    readonly retryAt: Date | undefined,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** How long an answer may take to begin, in milliseconds. */
const LIMIT = 30_000;

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
 * Calls the API and returns the `data` of its answer, whose type the caller takes from schema.d.ts.
 * The session's cookie goes along by itself.
 *
 * @throws {ApiError} for every other outcome, also if there is no connection.
 */
export async function call<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
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
