// Finds a request's session, ends those of a user, purges what has expired.
// Change here which requests get a session.

import type { SessionData } from "../session-data.ts";
import {
  type Access,
  expiry,
  type FoundRow,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
  UNLIMITED,
  UnreadableRow,
} from "./contract.ts";
import { cookieName, isSecure, readCookies } from "./cookie.ts";
import { copyOf, readData } from "./data.ts";
import type { EventHook } from "./events.ts";
import { Guard, Renewals, Turns } from "./guard.ts";
import { refuseForeign } from "./origin.ts";
import { Proxies, type SessionRequest } from "./request.ts";
import { Session } from "./session.ts";
import type { SessionSettings } from "./settings.ts";
import { parseToken, sameSecret, type Token } from "./token.ts";
import type { Client, Found, SessionContext } from "./unit-of-work.ts";
import { Visit, type VisitOptions } from "./visit.ts";

/** "renewed": the session has another secret by now. */
type Finding = Found | "renewed" | undefined;

export interface SessionsOptions {
  driver: SessionDriver;
  settings: SessionSettings;
  onEvent?: EventHook;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

const MAX_USERAGENT = 512;
/** Cookies of the session's name that are tried. */
const MAX_COOKIES = 3;
/** How many rows one statement removes, so that it blocks nobody for long. */
const BATCH = 500;
const LIST_LIMIT = 1000;

export class Sessions {
  readonly settings: SessionSettings;
  readonly #context: SessionContext;
  readonly #proxies: Proxies;
  #purgeTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ driver, settings, onEvent = () => {}, clock = Date.now }: SessionsOptions) {
    const emit = safely(onEvent);
    let warned = false;
    this.settings = settings;
    this.#proxies = new Proxies(settings.trustProxy);
    this.#context = {
      settings,
      lifetime: settings.lifetime === 0 ? UNLIMITED : settings.lifetime,
      guard: new Guard(driver, settings.storeTimeout, emit),
      turns: new Turns(2 * settings.storeTimeout),
      renewals: new Renewals(),
      emit,
      warnOnce(message) {
        if (!warned) emit({ type: "warning", message });
        warned = true;
      },
      now: () => Math.floor(clock() / 1000),
    };
  }

  /**
   * Waits for the store, `timeout` seconds at most, sets it up or checks it, then starts purging.
   * Rejects with the last error; `report` gets a line for every try that failed.
   */
  async ready(setup: "auto" | "manual", timeout: number, report: (line: string) => void): Promise<void> {
    const { guard } = this.#context;
    const end = performance.now() + timeout * 1000;
    for (let wait = 250; ; wait = Math.min(wait * 2, 2000)) {
      try {
        await guard.run((driver) => (setup === "auto" ? driver.setup() : driver.check()));
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() + wait > end) throw error;
        report(`${error.message.replace(/\.$/, "")}. Trying again …`);
        await new Promise((resume) => setTimeout(resume, wait));
      }
    }
    this.#schedulePurge();
  }

  /**
   * Synchronous where the store need not be asked, or answers at once.
   * Throws CrossOrigin (403); rejects with StoreUnavailable (503), or throws it where synchronous.
   */
  begin(request: SessionRequest): Visit | Promise<Visit> {
    const skipped = this.#skips(request.url);
    const encrypted = this.#proxies.secure(request);
    const { tokens, bearer } = this.#tokensOf(request, encrypted);
    // No page can make a browser send a Bearer header to another site: this is no forgery.
    if (!bearer) refuseForeign(request, this.#proxies, this.settings.allowedOrigins);
    const options: VisitOptions = {
      client: this.#clientOf(request),
      bearer,
      encrypted,
      skipped,
      // A visit is a page; a client that sends something starts a session by that.
      starts: this.settings.start === "visit" && !skipped && !bearer && /^(GET|HEAD)$/.test(request.method),
    };
    if (skipped || tokens.length === 0) return new Visit(this.#context, options);
    const found = this.#findFirst(tokens, options.client);
    return found instanceof Promise ? found.then((one) => this.#visit(options, one)) : this.#visit(options, found);
  }

  /**
   * The session of a request outside the middleware (a WebSocket's handshake). Save by hand: `await session.save()`.
   * It ends when another request gets the session a new token.
   */
  async open(request: SessionRequest): Promise<Session> {
    const { session } = await this.begin(request);
    if (session.exists) await session.finish();
    session.bindToToken();
    return session;
  }

  /** Starts a session for a client that sends its token as Authorization: Bearer, without a cookie. */
  async start(request: SessionRequest): Promise<Session> {
    const session = new Session(this.#context, this.#clientOf(request), { bearer: true });
    session.start();
    await session.save();
    return session;
  }

  /** A user's live sessions, newest first, 1,000 at most. */
  async list(userid: string): Promise<SessionInfo[]> {
    const now = this.#context.now();
    return this.#context.guard.run((driver) => driver.listByUser(userid, now, LIST_LIMIT));
  }

  /** Ends a session by its id. Resolves to whether there was one. */
  async end(id: string): Promise<boolean> {
    const removed = await this.#context.guard.run((driver) => driver.end(id));
    if (removed) this.#context.emit({ type: "ended", id, reason: "revoked" });
    return removed;
  }

  /** Ends all sessions of a user but the one with the id `except`. Resolves to how many. */
  async endByUser(userid: string, { except }: { except?: string } = {}): Promise<number> {
    const { guard, emit } = this.#context;
    return inBatches(async () => {
      const ids = await guard.run((driver) => driver.endByUser(userid, BATCH, except));
      for (const id of ids) emit({ type: "ended", id, userid, reason: "revoked" });
      return ids.length;
    });
  }

  /** Ends everybody's sessions, after an incident. Resolves to how many. */
  async endAll(): Promise<number> {
    return inBatches(() => this.#context.guard.run((driver) => driver.endAll(BATCH)));
  }

  /** Everybody's live sessions, in batches. */
  all(): AsyncIterable<SessionInfo[]> {
    return this.#context.guard.iterate((driver) => driver.all(this.#context.now()));
  }

  /** A live session by its id, with its data; undefined if there is none. For administrators. */
  async show(id: string): Promise<(SessionInfo & { data: SessionData }) | undefined> {
    const now = this.#context.now();
    const row = await this.#context.guard.read(id, { now });
    if (row === undefined || row.expires < now) return undefined;
    const { secretHash: _secret, version: _version, touched: _touched, data, ...info } = row;
    return { ...info, data: copyOf(readData(data)) };
  }

  /** How many sessions there are, and who has the most. */
  async stats(): Promise<StoreStats> {
    const now = this.#context.now();
    return this.#context.guard.run((driver) => driver.stats(now));
  }

  /** Whether the store answers, within `storeTimeout`. */
  async health(): Promise<"up" | "down"> {
    try {
      await this.#context.guard.run((driver) => driver.ping());
      return "up";
    } catch {
      // The guard's event says why.
      return "down";
    }
  }

  /** Removes what has expired; how many. Runs by itself every `purgeEvery` seconds. */
  async purge(): Promise<number> {
    const { guard, emit, now } = this.#context;
    const count = await inBatches(async () => (this.#closed ? 0 : guard.run((driver) => driver.purge(now(), BATCH))));
    if (count > 0) emit({ type: "purged", count });
    return count;
  }

  /** Stops purging and closes the driver. Twice is fine. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#purgeTimer);
    await this.#context.guard.driver.close();
  }

  #visit(options: VisitOptions, found: Finding): Visit {
    // A new session's cookie must not replace the one that the sign-in has set.
    if (found === "renewed") return new Visit(this.#context, { ...options, starts: false });
    return new Visit(this.#context, { ...options, found });
  }

  /** One is the rule; cookies of the same name for a longer path or a domain make several. */
  #findFirst(tokens: readonly Token[], client: () => Client): Finding | Promise<Finding> {
    const [token, ...others] = tokens as readonly [Token, ...Token[]];
    const found = this.#find(token, client);
    if (others.length === 0) return found;
    return Promise.resolve(found).then(async (first) => {
      if (typeof first === "object") return first;
      const next = await this.#findFirst(others, client);
      return next ?? first;
    });
  }

  #find(token: Token, client: () => Client): Finding | Promise<Finding> {
    const { settings, lifetime, guard } = this.#context;
    const { id, secretHash } = token;
    const access: Access = { now: this.#context.now(), touch: { lifetime, every: settings.touchEvery, secretHash } };
    try {
      const row = guard.read(id, access);
      if (!(row instanceof Promise)) return this.#judge(token, row, client);
      return row.then((found) => this.#judge(token, found, client)).catch((error) => this.#unreadable(id, error));
    } catch (error) {
      return this.#unreadable(id, error);
    }
  }

  /** Whether a row is a session that this request may have. Throws UnreadableRow. */
  #judge(token: Token, row: FoundRow | undefined, client: () => Client): Finding | Promise<Finding> {
    if (row === undefined) return undefined;
    if (!isSound(row)) throw new UnreadableRow("its times and numbers can't be");
    if (!sameSecret(token, row.secretHash)) return "renewed";
    const data = readData(row.data);
    const { settings, lifetime, emit, now } = this.#context;
    const { id, userid } = row;
    // The settings may have become stricter since the row was written.
    if (Math.min(row.expires, expiry(row.updated, row.idle, row.created, lifetime)) < now()) {
      emit({ type: "expired", id, userid });
      return undefined;
    }
    const lock = this.#lockOf(row, client);
    if (lock === undefined) return { row, token, data };
    // A client that is gone has no address any more.
    return settings.ipAddressLock && client().ipaddress === "" ? undefined : this.#endLocked(row, lock);
  }

  #lockOf(row: SessionRow, client: () => Client): "ipaddress" | "useragent" | undefined {
    const { ipAddressLock, userAgentLock } = this.settings;
    if (ipAddressLock && row.ipaddress !== client().ipaddress) return "ipaddress";
    return userAgentLock && row.useragent !== client().useragent ? "useragent" : undefined;
  }

  /** One of two may hold a stolen token: neither goes on with it. */
  async #endLocked({ id, userid }: SessionRow, by: "ipaddress" | "useragent"): Promise<undefined> {
    const { guard, emit } = this.#context;
    await guard.run((driver) => driver.end(id));
    emit({ type: "locked", id, userid, by });
    emit({ type: "ended", id, userid, reason: "locked" });
  }

  #unreadable(id: string, error: unknown): undefined {
    if (!(error instanceof UnreadableRow)) throw error;
    this.#context.emit({ type: "unreadable", id, message: error.message });
  }

  #tokensOf(request: SessionRequest, encrypted: boolean): { tokens: readonly Token[]; bearer: boolean } {
    const name = cookieName(this.settings, isSecure(this.settings, encrypted));
    const tokens = readCookies(request.header("cookie"), name).flatMap((text) => parseToken(text) ?? []);
    if (tokens.length > 0) return { tokens: tokens.slice(0, MAX_COOKIES), bearer: false };
    const text = /^Bearer +(\S+) *$/i.exec(request.header("authorization") ?? "")?.[1];
    if (text === undefined) return { tokens, bearer: false };
    const token = parseToken(text);
    return { tokens: token === undefined ? tokens : [token], bearer: true };
  }

  /** Read when needed; at once where the address decides, since a closed connection has none. */
  #clientOf(request: SessionRequest): () => Client {
    const read = (): Client => ({
      ipaddress: this.#proxies.address(request),
      useragent: (request.header("user-agent") ?? "").slice(0, MAX_USERAGENT),
    });
    if (!this.settings.ipAddressLock) return read;
    const client = read();
    return () => client;
  }

  #skips(url: string): boolean {
    return this.settings.skip.some((path) => {
      const next = url.startsWith(path) ? url[path.length] : "other";
      return next === undefined || next === "/" || next === "?";
    });
  }

  /** Jittered, so that processes don't purge together. Never keeps the process alive. */
  #schedulePurge(): void {
    if (this.#closed) return;
    const wait = this.settings.purgeEvery * 1000 * (0.5 + Math.random());
    this.#purgeTimer = setTimeout(async () => {
      await this.purge().catch(({ message }: Error) => {
        this.#context.emit({ type: "warning", message: `Purging expired sessions failed: ${message}` });
      });
      this.#schedulePurge();
    }, wait).unref();
  }
}

/** The last second that a Date can hold. */
const END_OF_TIME = 8.64e12;

/** Whether a row's numbers are possible: a hand may have changed them. */
function isSound({ created, updated, authenticated, idle, expires, version }: SessionRow): boolean {
  const times = [created, updated, authenticated, expires];
  return (
    [...times, idle, version].every(Number.isSafeInteger) && times.every((time) => time >= 0 && time <= END_OF_TIME)
  );
}

/** Repeats `remove` until it finds fewer than a batch. Resolves to how many it removed in all. */
async function inBatches(remove: () => Promise<number>): Promise<number> {
  let total = 0;
  while (true) {
    const count = await remove();
    total += count;
    if (count < BATCH) return total;
    // A store in this process would otherwise keep requests waiting for as long as the work takes.
    await new Promise(setImmediate);
  }
}

/** A hook that fails must not break the request. */
function safely(hook: EventHook): EventHook {
  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error));
  return (event) => {
    try {
      const result: unknown = hook(event);
      if (result instanceof Promise) result.catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}
