// All sessions of the app: finds a request's session, lists and ends sessions, purges what has expired.
// Change here which requests get a session.
import type { SessionData } from "../session-data.ts";
import type { Client, SessionContext } from "./context.ts";
import { type SessionDriver, type SessionInfo, type StoreStats, StoreUnavailable, UNLIMITED } from "./contract.ts";
import { copyOf } from "./data.ts";
import { type EventHook, safely } from "./events.ts";
import { type Finding, findSession, readCredentials } from "./find.ts";
import { Guard } from "./guard.ts";
import { CrossOrigin, rejectCrossOrigin } from "./origin.ts";
import { Proxies } from "./proxies.ts";
import { Renewals } from "./renewals.ts";
import { isBelow, isWebSocket, type SessionRequest } from "./request.ts";
import { RequestSession } from "./request-session.ts";
import { plausibleInfos, rereadRow } from "./rows.ts";
import { finish, save } from "./saving.ts";
import { Session } from "./session.ts";
import type { SessionSettings } from "./settings.ts";
import { SessionState } from "./state.ts";
import { Turns } from "./turns.ts";

export interface SessionsOptions {
  driver: SessionDriver;
  settings: SessionSettings;
  onEvent?: EventHook;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

const MAX_USERAGENT_LENGTH = 512;
/** How many rows one statement removes, so that it blocks nobody for long. */
const BATCH_SIZE = 500;
const LIST_LIMIT = 1000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2000;
const PROXY_NOT_TRUSTED =
  "The framework trusts a proxy, but sessions don't: they see the proxy's address, and HTTPS as plain HTTP. " +
  "Set SESSION_TRUST_PROXY to the proxy's address, too.";
const ON_SKIPPED_PATH = "This path is one of `skip` (SESSION_SKIP).";

export class Sessions {
  readonly settings: SessionSettings;
  readonly #context: SessionContext;
  readonly #proxies: Proxies;
  /** By the framework's own request. */
  readonly #begun = new WeakMap<object, RequestSession>();
  #purgeTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ driver, settings, onEvent = () => {}, clock = Date.now }: SessionsOptions) {
    const emit = safely(onEvent);
    const warnings = new Set<string>();
    this.settings = settings;
    this.#proxies = new Proxies(settings.trustProxy);
    this.#context = {
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

  /**
   * Waits for the store, `timeout` seconds at most, sets it up or checks it, then starts purging.
   * Rejects with the last error; `report` gets a line for every attempt that failed.
   */
  async ready(setup: "auto" | "manual", timeout: number, report: (line: string) => void): Promise<void> {
    const { guard } = this.#context;
    const deadline = performance.now() + timeout * 1000;
    let waitMs = FIRST_RETRY_MS;
    while (true) {
      try {
        await guard.run((driver) => (setup === "auto" ? driver.setup() : driver.check()));
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() + waitMs > deadline) throw error;
        report(`${error.message.replace(/\.$/, "")}. Trying again …`);
        await new Promise((resume) => setTimeout(resume, waitMs));
        waitMs = Math.min(waitMs * 2, LAST_RETRY_MS);
      }
    }
    this.#schedulePurge();
  }

  /** For adapters: what an outer middleware has begun for this very request; undefined for the first. */
  begun(raw: object): RequestSession | undefined {
    return this.#begun.get(raw);
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

  /** A user's live sessions, newest first, 1,000 at most. */
  async list(userid: string): Promise<SessionInfo[]> {
    const now = this.#context.now();
    const infos = await this.#context.guard.run((driver) => driver.listByUser(userid, now, LIST_LIMIT));
    return plausibleInfos(this.#context, infos);
  }

  /** Ends a session by its id. Resolves to whether there was one. */
  async end(id: string): Promise<boolean> {
    const removed = await this.#context.guard.run((driver) => driver.end(id));
    if (removed) this.#context.emit({ type: "ended", id, reason: "revoked" });
    return removed;
  }

  /** Ends all sessions of a user but the one with the id `except`. Resolves to how many. */
  async endByUser(userid: string, { except }: { except?: string | undefined } = {}): Promise<number> {
    const { guard, emit } = this.#context;
    return inBatches(async () => {
      const ids = await guard.run((driver) => driver.endByUser(userid, BATCH_SIZE, except));
      for (const id of ids) emit({ type: "ended", id, userid, reason: "revoked" });
      return ids.length;
    });
  }

  /** Ends everybody's sessions, after an incident. Resolves to how many. */
  async endAll(): Promise<number> {
    return inBatches(() => this.#context.guard.run((driver) => driver.endAll(BATCH_SIZE)));
  }

  /** Everybody's live sessions, in batches. */
  async *all(): AsyncGenerator<SessionInfo[]> {
    const now = this.#context.now();
    for await (const infos of this.#context.guard.iterate((driver) => driver.all(now))) {
      yield plausibleInfos(this.#context, infos);
    }
  }

  /** A live session by its id, with its data; undefined if there is none. For administrators. */
  async show(id: string): Promise<(SessionInfo & { data: SessionData }) | undefined> {
    const found = await rereadRow(this.#context, id);
    if (found === undefined) return undefined;
    const { secretHash: _secret, version: _version, touched: _touched, data: _text, ...info } = found.row;
    return { ...info, data: copyOf(found.data) };
  }

  /** How many sessions there are, and who has the most. */
  async stats(): Promise<StoreStats> {
    const now = this.#context.now();
    return this.#context.guard.run((driver) => driver.stats(now));
  }

  /** Whether the store responds within `storeTimeout`. */
  async health(): Promise<"up" | "down"> {
    try {
      await this.#context.guard.run((driver) => driver.ping());
      return "up";
    } catch {
      // The event that the guard has emitted says why.
      return "down";
    }
  }

  /** Removes what has expired. Resolves to how many sessions. Runs by itself every `purgeEvery` seconds. */
  async purge(): Promise<number> {
    const { guard, emit, now } = this.#context;
    const remove = async () => (this.#closed ? 0 : guard.run((driver) => driver.purge(now(), BATCH_SIZE)));
    const count = await inBatches(remove);
    if (count > 0) emit({ type: "purged", count });
    return count;
  }

  /** Stops purging and closes the driver. A second call does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#purgeTimer);
    await this.#context.guard.driver.close();
  }

  #begin(request: SessionRequest, opened = isWebSocket(request)): RequestSession | Promise<RequestSession> {
    const { settings } = this;
    const isHttps = this.#proxies.isHttps(request);
    const client = this.#clientOf(request);
    const { tokens, bearer, unforgeable } = readCredentials(request, settings, isHttps);
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
      const found = findSession(this.#context, tokens, client);
      return found instanceof Promise ? found.then(begin).catch(refuse) : begin(found);
    } catch (error) {
      if (error instanceof CrossOrigin) this.#reportCrossOrigin(request, error);
      return refuse(error as Error);
    }
  }

  #noteBegun(request: SessionRequest, requestSession: RequestSession): RequestSession {
    this.#begun.set(request.raw, requestSession);
    return requestSession;
  }

  #reportCrossOrigin({ method, url }: SessionRequest, { origin, host }: CrossOrigin): void {
    const [path = ""] = url.split("?", 1);
    this.#context.emit({ type: "crossOrigin", method, path, origin, host });
  }

  /** Read when it is needed; at once where the address decides, since a connection that has closed meanwhile has none. */
  #clientOf(request: SessionRequest): () => Client {
    const read = (): Client => ({
      ipaddress: this.#proxies.address(request),
      useragent: (request.header("user-agent") ?? "").slice(0, MAX_USERAGENT_LENGTH),
    });
    if (!this.settings.ipAddressLock) return read;
    const client = read();
    return () => client;
  }

  /** Jittered, so that processes don't purge together. Never keeps the process alive. */
  #schedulePurge(): void {
    if (this.#closed) return;
    const waitMs = this.settings.purgeEvery * 1000 * (0.5 + Math.random());
    this.#purgeTimer = setTimeout(async () => {
      await this.purge().catch(({ message }: Error) => {
        this.#context.emit({ type: "warning", message: `Purging expired sessions failed: ${message}` });
      });
      this.#schedulePurge();
    }, waitMs).unref();
  }
}

/** Repeats `remove` until it finds fewer than a batch. Resolves to how many it removed in all. */
async function inBatches(remove: () => Promise<number>): Promise<number> {
  let total = 0;
  while (true) {
    const count = await remove();
    total += count;
    if (count < BATCH_SIZE) return total;
    // A store in this process would otherwise keep requests waiting for as long as the work takes.
    await new Promise(setImmediate);
  }
}
