// The error for a client that goes on with a token whose session is gone.

/** Thrown where a Bearer client writes to a session that has ended, has expired or has another secret by now. */
export class StaleToken extends Error {
  override readonly name = "StaleToken";
  readonly status = 401;
  readonly statusCode = 401;
  /** For error handlers that follow the convention of http-errors. */
  readonly headers = { "WWW-Authenticate": 'Bearer error="invalid_token"' };

  constructor() {
    super("The session of this token has ended. Sign in, or start a new session.");
  }
}
