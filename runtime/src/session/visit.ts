// One request and its session: what adapters call when it comes in and before its answer leaves.
// Change here when a session is saved and what the answer says of it.
import { isSecure, keepPrivate, type ResponseHeaders, setCookie } from "./cookie.ts";
import { Session } from "./session.ts";
import type { Client, Found, SessionContext } from "./unit-of-work.ts";

/** Milliseconds after which another process may have renewed the session. */
const SLOW = 100;

const INSECURE =
  "The session cookie is Secure, but this request came over plain HTTP, so that browsers will not keep it. " +
  "Behind a proxy that speaks HTTPS, set SESSION_TRUST_PROXY to its address; without one, use HTTPS.";

export interface VisitOptions {
  /** Asked for when a session starts. */
  client(): Client;
  bearer: boolean;
  /** Whether the client speaks HTTPS. */
  encrypted: boolean;
  /** A path that has no session. */
  skipped: boolean;
  found?: Found | undefined;
  /** The visit alone starts a session. */
  starts: boolean;
}

export class Visit {
  readonly #context: SessionContext;
  readonly #options: VisitOptions;
  readonly #start = performance.now();
  #session: Session | undefined;
  #accessed = false;
  /** The headers have left; a streamed answer may save later. */
  #answered = false;
  /** Whether a token that is repeated is still the session's. */
  #current = true;
  /** The token when the headers left. */
  #sent = "";
  /** Saving has failed; the error's answer comes by here too, and must get out. */
  #failed = false;

  constructor(context: SessionContext, options: VisitOptions) {
    this.#context = context;
    this.#options = options;
    if (options.found !== undefined) this.#open();
    else if (options.starts) this.#open().start();
  }

  /** Asking for it makes the answer depend on it. */
  get session(): Session {
    this.#accessed = !this.#options.skipped;
    return this.#open();
  }

  /**
   * Saves what has changed; the answer must not leave before the promise, if there is one, resolves.
   * Rejects, once, with what the client is to be told instead (an error with a `status`).
   */
  finish(): Promise<void> | undefined {
    if (this.#session === undefined || this.#failed) return undefined;
    if (this.#options.skipped) return this.#tooFar();
    if (this.#answered && !this.#session.exists) return this.#tooLate();
    try {
      const saved = this.#session.finish();
      if (saved !== undefined || this.#mustVerify()) return this.#settle(saved);
      if (this.#answered) this.#tellUnsent();
      return undefined;
    } catch (error) {
      this.#failed = true;
      return Promise.reject(error);
    }
  }

  /** Writes the session's headers. Call it once, after `finish`, right before the headers leave. */
  writeHeaders(headers: ResponseHeaders): void {
    if (this.#answered) return;
    this.#answered = true;
    const session = this.#session;
    if (session === undefined) return;
    const { settings, warnOnce } = this.#context;
    const { action, repeats, maxAge, token } = session.cookie;
    this.#sent = session.token;
    const carriesCookie = action !== "none" && (!repeats || this.#current);
    if (carriesCookie) {
      const secure = isSecure(settings, this.#options.encrypted);
      if (secure && !this.#options.encrypted && settings.production) warnOnce(INSECURE);
      headers.appendCookie(setCookie(settings, secure, token, maxAge));
    }
    // A Bearer client gets a new token in the body.
    if (carriesCookie || this.#accessed) keepPrivate(headers, carriesCookie || session.hasNewToken);
  }

  /** `finish` where nobody waits for the answer any more. */
  finishAlone(): void {
    this.finish()?.catch((error) => this.tellUnsaved(error));
  }

  /** For an answer that can't tell it. */
  tellUnsaved(error: Error): void {
    this.#context.emit({ type: "warning", message: `A session was not saved: ${error.message}` });
  }

  #tooFar(): undefined {
    if (!this.#session?.hasUnsaved) return;
    const message = "A session was written to on a path of `skip` (SESSION_SKIP), and not saved";
    this.#context.emit({ type: "warning", message });
  }

  #tooLate(): undefined {
    if (this.#session?.hasUnsaved) {
      const message =
        "A session was written to after the answer's headers had left, too late to start it: write before";
      this.#context.emit({ type: "warning", message });
    }
    return undefined;
  }

  async #settle(saved: Promise<void> | undefined): Promise<void> {
    try {
      await saved;
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    if (this.#answered) this.#tellUnsent();
    else if (this.#mustVerify()) this.#current = await this.#verify();
  }

  /**
   * Repeating the request's token moves the cookie's expiry, but would overwrite a newer token of a sign-in meanwhile:
   * a slow request asks first.
   */
  #mustVerify(): boolean {
    const session = this.#session;
    if (this.#answered || session === undefined || !session.cookie.repeats) return false;
    const isSlow = performance.now() - this.#start > SLOW;
    return isSlow || this.#context.renewals.isSince(session.id, this.#start);
  }

  #tellUnsent(): void {
    if (this.#session === undefined || this.#session.bearer || this.#session.token === this.#sent) return;
    this.#sent = this.#session.token;
    const message =
      "A session got a new token after the answer's headers had left: the client can't learn it, sign in before";
    this.#context.emit({ type: "warning", message });
  }

  async #verify(): Promise<boolean> {
    try {
      return (await this.#session?.stillCurrent()) === true;
    } catch {
      // The store is down, as the guard has said. The next touch refreshes the cookie.
      return false;
    }
  }

  #open(): Session {
    const { client, found } = this.#options;
    this.#session ??= new Session(this.#context, client, this.#options, found);
    return this.#session;
  }
}
