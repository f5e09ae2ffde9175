// All sessions of the app: finds or starts the session of a request. What is done to many sessions is in administration.ts.
// Change here which requests get a session.
import { Administration } from "./administration.ts";
import { type Adoption, checkAdoption, findOrAdopt } from "./adopt.ts";
import type { Client, SessionContext } from "./context.ts";
import { type SessionDriver, UNLIMITED } from "./contract.ts";
import { cookieName, isSecure } from "./cookie.ts";
import { type Hooks, type SessionEvent, safely } from "./events.ts";
import { type Finding, findSession } from "./find.ts";
import { Guard } from "./guard.ts";
import { CrossOrigin, Proxies, rejectCrossOrigin } from "./origin.ts";
import { Renewals } from "./renewals.ts";
import { isBelow, isWebSocket, type SessionRequest } from "./request.ts";
import { RequestSession } from "./request-session.ts";
import { finish, save } from "./saving.ts";
import { Session } from "./session.ts";
import type { SessionSettings } from "./settings.ts";
import { SessionState } from "./state.ts";
import { type StoreCall, timed } from "./store-calls.ts";
import { readCredentials } from "./token.ts";
import { Turns } from "./turns.ts";

export interface SessionsOptions {
  driver: SessionDriver;
  settings: SessionSettings;
  /** One hook or several. None of them can break a request. */
  onEvent?: Hooks<SessionEvent>;
  /** Called after each call of the store. */
  onStoreCall?: Hooks<StoreCall>;
  /** Takes over the sessions of another system. */
  adopt?: Adoption | undefined;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

type Marked = Record<symbol, RequestSession | undefined>;

const MAX_USERAGENT_LENGTH = 512;
const PROXY_NOT_TRUSTED =
  "The framework trusts a proxy, but sessions don't: they see the proxy's address, and HTTPS as plain HTTP. " +
  "Set SESSION_TRUST_PROXY to the proxy's address, too.";
const NOT_BEGUN = "The session middleware has not run for this request, or not yet.";
const ON_SKIPPED_PATH = "This path is one of `skip` (SESSION_SKIP).";

export class Sessions extends Administration {
  readonly settings: SessionSettings;
  readonly #context: SessionContext;
  readonly #proxies: Proxies;
  readonly #adoption: Adoption | undefined;
  readonly #cookieNames: { http: string; https: string };
  /** Marks a framework's request with what has begun for it. A WeakMap of all requests costs the garbage collector more than a request. */
  readonly #begun = Symbol("requestSession");

  constructor(options: SessionsOptions) {
    const context = createContext(options);
    super(context);
    const { settings } = options;
    this.settings = settings;
    this.#context = context;
    this.#proxies = new Proxies(settings.trustProxy);
    this.#cookieNames = {
      http: cookieName(settings, isSecure(settings, false)),
      https: cookieName(settings, isSecure(settings, true)),
    };
    if (options.adopt !== undefined) checkAdoption(options.adopt);
    this.#adoption = options.adopt;
  }

  /** For adapters: what an outer middleware has begun for this very request; undefined for the first. */
  begun(raw: object): RequestSession | undefined {
    return (raw as Marked)[this.#begun];
  }

  /**
   * Finds the session of a request, for adapters. Synchronous where the store need not be asked, or is in this process.
   * Never fails: a request that must not go on (403, 503) has a `refusal`.
   */
  begin(request: SessionRequest): RequestSession | Promise<RequestSession> {
    const begun = this.#begin(request);
    if (!(begun instanceof Promise)) return this.#noteBegun(request, begun);
    return begun.then((requestSession) => this.#noteBegun(request, requestSession));
  }

  /** For adapters: an empty session, for code that asks for one where the middleware has not run. */
  empty(request: SessionRequest): RequestSession {
    const client = this.#clientOf(request);
    return new RequestSession(this.#context, { client, bearer: false, isHttps: false, unavailable: NOT_BEGUN });
  }

  /**
   * The session of a request outside the middleware, such as a WebSocket's handshake. Save by hand: `await session.save()`.
   * It ends when another request gives the session a new secret. Rejects with CrossOrigin or StoreUnavailable.
   */
  async open(request: SessionRequest): Promise<Session> {
    const { refusal, state } = await this.#begin(request, true);
    if (refusal !== undefined) throw refusal;
    if (state.row !== undefined) await finish(state);
    return new Session(state);
  }

  /** Starts a session for a client that sends its token as Authorization: Bearer, without a cookie. */
  async start(request: SessionRequest): Promise<Session> {
    const state = new SessionState(this.#context, { client: this.#clientOf(request), bearer: true });
    state.start();
    await save(state);
    return new Session(state);
  }

  /** For adapters: warns once where the framework believes proxies that `trustProxy` doesn't name. */
  checkProxyTrust(frameworkTrustsProxy: boolean): void {
    if (frameworkTrustsProxy && this.settings.trustProxy === undefined) this.#context.warnOnce(PROXY_NOT_TRUSTED);
  }

  #begin(request: SessionRequest, opened = isWebSocket(request)): RequestSession | Promise<RequestSession> {
    const { settings } = this;
    const isHttps = this.#proxies.isHttps(request);
    const client = this.#clientOf(request);
    const { tokens, bearer, unforgeable } = readCredentials(request, this.#cookieNames[isHttps ? "https" : "http"]);
    const options = { client, bearer, isHttps, opened };
    const refuse = (refusal: Error) =>
      new RequestSession(this.#context, {
        ...options,
        refusal,
        unavailable: `This request was refused: ${refusal.message}`,
      });
    try {
      if (!unforgeable) rejectCrossOrigin(request, this.#proxies, settings);
      if (isBelow(request, settings.skip)) {
        return new RequestSession(this.#context, { ...options, unavailable: ON_SKIPPED_PATH });
      }
      // A visit is a page; a client that sends something starts a session by that.
      const starts = settings.start === "visit" && !bearer && /^(GET|HEAD)$/.test(request.method);
      const begin = (found: Finding) => {
        const bearerIsStale = bearer && typeof found !== "object";
        // A new session's cookie must not replace the one that a sign-in has set.
        if (found === "renewed") return new RequestSession(this.#context, { ...options, bearerIsStale });
        return new RequestSession(this.#context, { ...options, bearerIsStale, match: found, starts });
      };
      const found =
        this.#adoption === undefined || bearer
          ? findSession(this.#context, tokens, client)
          : findOrAdopt(this.#context, this.#adoption, request, tokens, client);
      return found instanceof Promise ? found.then(begin).catch(refuse) : begin(found);
    } catch (error) {
      if (error instanceof CrossOrigin) this.#reportCrossOrigin(request, error);
      return refuse(error as Error);
    }
  }

  #noteBegun(request: SessionRequest, requestSession: RequestSession): RequestSession {
    (request.raw as Marked)[this.#begun] = requestSession;
    return requestSession;
  }

  #reportCrossOrigin({ method, url }: SessionRequest, { origin, host }: CrossOrigin): void {
    const [path = ""] = url.split("?", 1);
    const from = origin === undefined ? "another site" : JSON.stringify(origin);
    const message =
      `The request comes from ${from}, not from ${JSON.stringify(host ?? "")}. ` +
      "SESSION_ALLOWED_ORIGINS can allow the origin, SESSION_ALLOWED_PATHS the path.";
    this.#context.emit({ type: "crossOrigin", method, path, origin, host, message });
  }

  /** The client is read when it is needed; at once where its address decides, since a connection that closes loses it. */
  #clientOf(request: SessionRequest): () => Client {
    const read = (): Client => ({
      ipaddress: this.#proxies.address(request),
      useragent: (request.header("user-agent") ?? "").slice(0, MAX_USERAGENT_LENGTH),
    });
    if (!this.settings.ipAddressLock) return read;
    const client = read();
    return () => client;
  }
}

function createContext(options: SessionsOptions): SessionContext {
  const { settings, onEvent = [], onStoreCall, clock = Date.now } = options;
  const driver = onStoreCall === undefined ? options.driver : timed(options.driver, onStoreCall);
  const emit = safely(onEvent);
  const warnings = new Set<string>();
  return {
    settings,
    lifetime: settings.lifetime === 0 ? UNLIMITED : settings.lifetime,
    guard: new Guard(driver, settings.storeTimeout, emit),
    // An update waits for the store twice: it reads and it writes.
    turns: new Turns(2 * settings.storeTimeout),
    renewals: new Renewals(),
    emit,
    warnOnce(message) {
      if (!warnings.has(message)) emit({ type: "warning", message });
      warnings.add(message);
    },
    now: () => Math.floor(clock() / 1000),
  };
}
