// One request and its session: what adapters call when the request comes in and before its response is sent.
// Change here when a session is saved, and what a failed save means for the response.
import type { SessionContext, SessionOptions } from "./context.ts";
import { cookieAction, isTokenCurrent, writeCookie } from "./cookie.ts";
import { InvalidData } from "./data.ts";
import { LateWrites } from "./late-writes.ts";
import { keepPrivate, type ResponseHeaders, removeRepresentation } from "./response-headers.ts";
import { finish } from "./saving.ts";
import { Session } from "./session.ts";
import { SessionState } from "./state.ts";

/** A request that takes longer may have been overtaken by a renewal in another process. */
const RENEWAL_RACE_MS = 100;

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

const REQUEST_SESSION = Symbol("requestSession");

/** A framework's request that has the property `session`. */
interface Exposed {
  [REQUEST_SESSION]?: RequestSession;
}

/** One for all requests: with accessors of its own, each request would get a hidden class of its own, and be slow to use. */
const SESSION_PROPERTY: PropertyDescriptor & ThisType<Exposed> = {
  configurable: true,
  get() {
    return this[REQUEST_SESSION]?.session;
  },
  set() {
    throw new InvalidData("The session can't be replaced: end it with session.destroy(), or set session.data");
  },
};

/** How far the response is: nothing sent, headers sent (a stream may save later), or all of it. */
type Phase = "open" | "headersSent" | "sent";

export class RequestSession {
  /** The error to send instead of calling a handler; undefined where the request may go on. */
  readonly refusal: Error | undefined;
  readonly #context: SessionContext;
  readonly #options: RequestSessionOptions;
  readonly #startedAt = performance.now();
  #phase: Phase = "open";
  #state: SessionState | undefined;
  #session: Session | undefined;
  #lateWrites: LateWrites | undefined;
  /** A handler has used the session or may use it later, so that the response depends on it. */
  #accessed = false;
  /** Whether a token that the cookie repeats is still the session's. */
  #tokenIsCurrent = true;
  /** The token when the headers were sent. */
  #sentToken: string | undefined;
  /** The client left before the headers were sent. */
  #clientIsGone = false;
  /** Saving has failed. The error's response passes through here as well, and must get out. */
  #failed = false;

  constructor(context: SessionContext, options: RequestSessionOptions) {
    this.#context = context;
    this.#options = options;
    this.refusal = options.refusal;
    if (options.match !== undefined) this.#state = new SessionState(context, options);
    else if (options.starts) this.state.start();
  }

  /**
   * Asking it for anything makes the response depend on it. Where there is a session, having it does so too: a stream may
   * read it when the headers have long been sent.
   */
  get session(): Session {
    if (this.#options.match !== undefined) this.#accessed = true;
    this.#session ??= new Session(() => {
      this.#accessed = this.#options.unavailable === undefined;
      return this.state;
    });
    return this.#session;
  }

  /**
   * Gives a framework's request the property `session`. The property is this one object's own, never a prototype's that
   * other apps and session middleware in the process share, and it is only added where there is none yet.
   */
  exposeOn(target: object): void {
    if (Object.hasOwn(target, "session")) return;
    (target as Exposed)[REQUEST_SESSION] = this;
    Object.defineProperty(target, "session", SESSION_PROPERTY);
  }

  /** Whether there is a session, or a handler has asked for one. */
  get isUsed(): boolean {
    return this.#state !== undefined;
  }

  /** Whether the session may have headers to add to the response. */
  get mayAddHeaders(): boolean {
    return this.#phase === "open" && this.isUsed;
  }

  /** The session without the handler's view of it. */
  get state(): SessionState {
    if (this.#state === undefined) {
      this.#state = new SessionState(this.#context, this.#options);
      if (this.#phase !== "open") this.#state.detach();
      if (this.#phase === "sent") this.#reports.watch(this.#state);
    }
    return this.#state;
  }

  /**
   * Saves what has changed. The response must not be sent before the promise, if there is one, resolves. It rejects with
   * the error to send instead of a success; `headers` then hold nothing of the response that was to be.
   * @param status the status of the response
   */
  complete(status: number, headers: ResponseHeaders): Promise<void> | undefined {
    return this.#finish()?.catch((error) => {
      // An error's response doesn't claim that anything was saved: it stands.
      if (status >= 400) return this.#reports.reportFailure(error);
      if (this.#phase === "open") removeRepresentation(headers);
      throw error;
    });
  }

  /** Saves where nobody waits for the response any more. */
  completeDetached(): void {
    this.#finish()?.catch((error) => this.#reports.reportFailure(error));
  }

  /** Writes the session's headers. To be called after `complete`, right before the headers are sent. */
  writeHeaders(headers: ResponseHeaders): void {
    if (this.#phase !== "open") return;
    this.#phase = "headersSent";
    const state = this.#state;
    if (state === undefined) return;
    state.detach();
    this.#sentToken = state.token?.text;
    const action = cookieAction(state);
    const writesCookie = action !== "none" && (action !== "refresh" || this.#tokenIsCurrent);
    if (writesCookie) writeCookie(state, action, this.#options.isHttps, headers);
    const oldCookie = this.#options.match?.clearCookie;
    if (writesCookie && oldCookie !== undefined) headers.appendCookie(oldCookie);
    // A Bearer client gets a new token in the response's body.
    if (writesCookie || this.#accessed) keepPrivate(headers, writesCookie || state.tokenIsNew);
  }

  /** To be called when the response has been sent, or its connection has closed. */
  responseSent(): void {
    this.#clientIsGone = this.#phase === "open";
    this.#phase = "sent";
    if (this.#state !== undefined && !this.#failed) this.#reports.watch(this.#state);
  }

  get #reports(): LateWrites {
    this.#lateWrites ??= new LateWrites(this.#context);
    return this.#lateWrites;
  }

  /** Rejects once at most: what is sent after that is the error's own response. */
  #finish(): Promise<void> | undefined {
    const state = this.#state;
    const { unavailable } = this.#options;
    if (this.#failed) return undefined;
    try {
      if (unavailable === undefined) this.#session?.refuseForeignProperties();
      if (state === undefined) return undefined;
      if (unavailable !== undefined) return void this.#reports.reportUnavailable(state, unavailable);
      if (this.#phase !== "open" && state.row === undefined) return void this.#reports.reportTooLate(state);
      const saved = finish(state);
      if (saved !== undefined || this.#mustVerifyToken(state)) return this.#settle(state, saved);
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
    if (this.#mustVerifyToken(state)) this.#tokenIsCurrent = await isTokenCurrent(state);
  }

  /** A refresh would overwrite the newer token of a sign-in that came meanwhile, so that a slow request asks the store first. */
  #mustVerifyToken(state: SessionState): boolean {
    if (this.#phase !== "open" || cookieAction(state) !== "refresh") return false;
    const isSlow = performance.now() - this.#startedAt > RENEWAL_RACE_MS;
    return isSlow || this.#context.renewals.isSince(state.row?.id ?? "", this.#startedAt);
  }

  #warnTokenNotSent({ token, options }: SessionState): void {
    if (this.#phase === "open" || this.#clientIsGone || options.bearer || token?.text === this.#sentToken) return;
    this.#sentToken = token?.text;
    this.#context.emit({ type: "warning", message: TOKEN_NOT_SENT });
  }
}
