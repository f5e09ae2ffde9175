// One request and its session: what adapters call when the request comes in and before its response is sent.
// Change here when a session is saved, and what the response says of it.
import type { SessionContext } from "./context.ts";
import { clearCookie, isSecure, setCookie } from "./cookie.ts";
import { keepPrivate, type ResponseHeaders, removeRepresentation } from "./response-headers.ts";
import { rereadRow } from "./rows.ts";
import { finish } from "./saving.ts";
import { Session } from "./session.ts";
import { type SessionOptions, SessionState } from "./state.ts";
import { equalHashes } from "./token.ts";

/** A request that takes longer may have been overtaken by a renewal in another process. */
const RENEWAL_RACE_MS = 100;

const INSECURE =
  "The session cookie is Secure, but this request came over plain HTTP, so that browsers will not keep it. " +
  "Behind a proxy that speaks HTTPS, set SESSION_TRUST_PROXY to its address; without one, use HTTPS.";
const AFTER_RESPONSE =
  "A session was written to after the response had been sent, and not saved: write before, or call session.save()";
const TOO_LATE =
  "A session was written to after the response's headers had been sent, too late to start it: write before";
const TOKEN_NOT_SENT =
  "A session got a new token after the response's headers had been sent, so that the client can't learn it: sign in before";

export interface RequestSessionOptions extends SessionOptions {
  /** Whether the client speaks HTTPS. */
  isHttps: boolean;
  /** The request by itself starts a session. */
  starts?: boolean;
  /** Why the request was refused; its session is an empty one, which error handlers can read. */
  refusal?: Error | undefined;
}

/** What the response says of the cookie. */
type CookieAction = "none" | "clear" | "set" | "refresh";

export class RequestSession {
  /** The error to send instead of calling a handler; undefined where the request may go on. */
  readonly refusal: Error | undefined;
  readonly #context: SessionContext;
  readonly #options: RequestSessionOptions;
  readonly #startedAt = performance.now();
  #state: SessionState | undefined;
  #session: Session | undefined;
  /** A handler has asked for the session, so that the response depends on it. */
  #accessed = false;
  /** The headers have been sent; what a handler writes while it streams is saved later. */
  #headersSent = false;
  /** Whether a token that the cookie repeats is still the session's. */
  #tokenIsCurrent = true;
  /** The token when the headers were sent. */
  #sentToken: string | undefined;
  #responseSent = false;
  #checksLateWrites = false;
  #unsavedReported = false;
  /** Saving has failed. The error's response passes through here as well, and must get out. */
  #failed = false;

  constructor(context: SessionContext, options: RequestSessionOptions) {
    this.#context = context;
    this.#options = options;
    this.refusal = options.refusal;
    if (options.starts && options.match === undefined) this.state.start();
    else if (options.match !== undefined) this.#state = new SessionState(context, options);
  }

  /** Asking for it makes the response depend on it. */
  get session(): Session {
    this.#accessed = this.#options.unavailable === undefined;
    this.#session ??= new Session(this.state);
    return this.#session;
  }

  /** The session without the handler's view of it. */
  get state(): SessionState {
    if (this.#state === undefined) {
      this.#state = new SessionState(this.#context, this.#options);
      if (this.#headersSent) this.#state.detach();
      if (this.#responseSent) this.#watchLateWrites(this.#state);
    }
    return this.#state;
  }

  /**
   * Saves what has changed. The response must not be sent before the promise, if there is one, resolves. It rejects with
   * the error to send instead of a success; `headers` then hold nothing of the response that was to be.
   * @param status the response's
   */
  complete(status: number, headers: ResponseHeaders): Promise<void> | undefined {
    return this.#finish()?.catch((error) => {
      // An error's response doesn't claim that anything was saved: it stands.
      if (status >= 400) return this.#reportUnsaved(error);
      if (!this.#headersSent) removeRepresentation(headers);
      throw error;
    });
  }

  /** Saves where nobody waits for the response any more. */
  completeDetached(): void {
    this.#finish()?.catch((error) => this.#reportUnsaved(error));
  }

  /** To be called when the response has been sent, or its connection has closed. */
  responseSent(): void {
    this.#responseSent = true;
    if (this.#state === undefined) return;
    this.#warnUnsavedAfterResponse(this.#state);
    this.#watchLateWrites(this.#state);
  }

  /** Writes the session's headers. To be called after `complete`, right before the headers are sent. */
  writeHeaders(headers: ResponseHeaders): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    const state = this.#state;
    if (state === undefined) return;
    state.detach();
    this.#sentToken = state.token?.text;
    const setsCookie = this.#writeCookie(state, headers);
    // A Bearer client gets a new token in the response's body.
    if (setsCookie || this.#accessed) keepPrivate(headers, setsCookie || state.tokenIsNew);
  }

  /** Rejects once at most: what is sent after that is the error's own response. */
  #finish(): Promise<void> | undefined {
    const state = this.#state;
    if (state === undefined || this.#failed) return undefined;
    try {
      if (this.#options.unavailable !== undefined) return this.#warnUnavailable(state, this.#options.unavailable);
      this.#session?.refuseForeignProperties();
      if (this.#headersSent && state.row === undefined) return this.#warnTooLate(state);
      const saved = finish(state);
      if (saved !== undefined || this.#mustVerify(state)) return this.#settle(state, saved);
      this.#warnTokenNotSent(state);
      return undefined;
    } catch (error) {
      this.#failed = true;
      return Promise.reject(error);
    }
  }

  async #settle(state: SessionState, saved: Promise<void> | undefined): Promise<void> {
    try {
      await saved;
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    this.#warnTokenNotSent(state);
    if (this.#mustVerify(state)) this.#tokenIsCurrent = await this.#verifyToken(state);
  }

  /** Returns whether the response sets or clears the cookie. */
  #writeCookie(state: SessionState, headers: ResponseHeaders): boolean {
    const { settings, warnOnce, now } = this.#context;
    const { isHttps } = this.#options;
    const action = this.#cookieAction(state);
    if (action === "none" || (action === "refresh" && !this.#tokenIsCurrent)) return false;
    const secure = isSecure(settings, isHttps);
    if (secure && !isHttps && settings.production) warnOnce(INSECURE);
    const { row, token } = state;
    if (action === "clear" || row === undefined || token === undefined) {
      headers.appendCookie(clearCookie(settings, secure));
    } else {
      headers.appendCookie(setCookie(settings, secure, token.text, Math.max(0, row.expires - now())));
    }
    return true;
  }

  #cookieAction({ endedBy, row, tokenIsNew, expiryMoved }: SessionState): CookieAction {
    if (this.#options.bearer) return "none";
    if (endedBy === "destroyed") return "clear";
    if (endedBy !== undefined || row === undefined) return "none";
    if (tokenIsNew) return "set";
    return expiryMoved && this.#context.settings.cookiePersistent ? "refresh" : "none";
  }

  /**
   * A refresh repeats the request's own token to move the cookie's expiry. It would overwrite the newer token of a sign-in
   * that came meanwhile, so that a slow request asks the store first.
   */
  #mustVerify(state: SessionState): boolean {
    if (this.#headersSent || this.#cookieAction(state) !== "refresh") return false;
    const isSlow = performance.now() - this.#startedAt > RENEWAL_RACE_MS;
    return isSlow || this.#context.renewals.isSince(state.row?.id ?? "", this.#startedAt);
  }

  async #verifyToken({ row, context }: SessionState): Promise<boolean> {
    if (row === undefined) return false;
    try {
      const stored = await rereadRow(context, row.id);
      return stored !== undefined && equalHashes(stored.row.secretHash, row.secretHash);
    } catch {
      // The store is down, as the guard has reported. The next touch refreshes the cookie.
      return false;
    }
  }

  #warnUnavailable(state: SessionState, reason: string): undefined {
    if (state.unsaved() !== undefined) this.#warnUnsaved(`A session was written to, and not saved. ${reason}`);
  }

  #warnTooLate(state: SessionState): undefined {
    if (state.unsaved() !== undefined) this.#warnUnsaved(TOO_LATE);
  }

  /** Code that gets hold of the session now may write to it, and nobody would save that. */
  #watchLateWrites(state: SessionState): void {
    state.onAccess(() => {
      if (this.#checksLateWrites) return;
      this.#checksLateWrites = true;
      setImmediate(() => {
        this.#checksLateWrites = false;
        this.#warnUnsavedAfterResponse(state);
      });
    });
  }

  #warnUnsavedAfterResponse(state: SessionState): void {
    // A save is under way, or it has been reported that there was none.
    if (this.#failed || this.#unsavedReported || state.queue.latest !== undefined) return;
    try {
      if (state.unsaved() !== undefined) this.#warnUnsaved(AFTER_RESPONSE);
    } catch (error) {
      this.#reportUnsaved(error as Error);
    }
  }

  #warnTokenNotSent({ token, options }: SessionState): void {
    if (!this.#headersSent || options.bearer || token?.text === this.#sentToken) return;
    this.#sentToken = token?.text;
    this.#warn(TOKEN_NOT_SENT);
  }

  #reportUnsaved(error: Error): void {
    this.#warnUnsaved(`A session was not saved: ${error.message}`);
  }

  #warnUnsaved(message: string): void {
    this.#unsavedReported = true;
    this.#warn(message);
  }

  #warn(message: string): void {
    this.#context.emit({ type: "warning", message });
  }
}
