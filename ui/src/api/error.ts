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

/** The codes with which the server refuses an access token or a refresh token (docs/api.md). */
export const EXPIRED = 401_002;
const NO_CREDENTIAL = 401_003;
export const DISABLED = 401_004;

/**
 * Returns whether a call failed because of its session: expired, ended, missing, or of an account
 * that is disabled. A wrong password is not among them, and neither is the 401 of a proxy.
 */
export function isSessionError(error: unknown): error is ApiError {
  return error instanceof ApiError && [EXPIRED, NO_CREDENTIAL, DISABLED].includes(error.code);
}
