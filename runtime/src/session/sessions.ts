// The sessions of an application: finds a request's session, ends those of a user, purges what has expired.
// Change here which requests get a session, and what has to hold before they do.
import { cookieName, isSecure, readCookie } from "./cookie.ts";
import { readData } from "./data.ts";
import type { EndReason, EventHook } from "./events.ts";
import { Guard, Renewals, Turns } from "./guard.ts";
import { refuseForeign } from "./origin.ts";
import { Proxies, type SessionRequest } from "./request.ts";
import { Session } from "./session.ts";
import type { SessionSettings } from "./settings.ts";
import {
  type Access,
  expiry,
  type SessionDriver,
  type SessionRow,
  StoreUnavailable,
  UNLIMITED,
  UnreadableRow,
} from "./store.ts";
import { parseToken, sameSecret, type Token } from "./token.ts";
import type { Client, Found, SessionContext } from "./unit-of-work.ts";
import { Visit, type VisitOptions } from "./visit.ts";

/** A session as its user or an administrator may see it. */
export type SessionInfo = Omit<SessionRow, "secretHash" | "data" | "version">;

export interface SessionsOptions {
  driver: SessionDriver;
  settings: SessionSettings;
  onEvent?: EventHook;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

const MAX_USERAGENT = 512;
/** Rows a purge removes in one statement, so that it blocks nobody. */
const PURGE_BATCH = 500;
/** Sessions that `list` returns at most. */
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
   * Waits for the store, for `timeout` seconds at most, and makes or checks what it needs; then starts purging.
   * Rejects with what was wrong last. `report` gets a line for every try that failed.
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
   * Finds the session of a request. Synchronous where the store need not be asked.
   * Throws CrossOrigin (403), rejects with StoreUnavailable (503).
   */
  begin(request: SessionRequest): Visit | Promise<Visit> {
    const skipped = this.#skips(request.url);
    const encrypted = this.#proxies.secure(request);
    const { token, bearer } = skipped ? NO_TOKEN : this.#tokenOf(request, encrypted);
    // A page can't make a browser send a Bearer header to another site, so it proves that this is no forgery.
    if (!bearer) refuseForeign(request, this.#proxies, this.settings.allowedOrigins);
    const options: VisitOptions = { client: () => this.#client(request), bearer, encrypted, skipped };
    if (token === undefined) return new Visit(this.#context, options);
    return this.#find(token, options.client).then((found) =>
      // A session that has been renewed meanwhile: a new one must not come over the cookie that its sign-in has set.
      found === "renewed"
        ? new Visit(this.#context, { ...options, waits: true })
        : new Visit(this.#context, { ...options, found }),
    );
  }

  /** The session of a request outside the middleware: a WebSocket's handshake, a stream of events. Save by hand: `await session.save()`. */
  async open(request: SessionRequest): Promise<Session> {
    return (await this.begin(request)).session;
  }

  /** Starts a session for a client that keeps its token itself, and sends it as Authorization: Bearer. No cookie is involved. */
  async start(request: SessionRequest): Promise<Session> {
    const session = new Session(this.#context, () => this.#client(request), true);
    session.start();
    await session.save();
    return session;
  }

  /** A user's live sessions, newest first, 1,000 at most. */
  async list(userid: string): Promise<SessionInfo[]> {
    const now = this.#context.now();
    const rows = await this.#context.guard.run((driver) => driver.listByUser(userid, now, LIST_LIMIT));
    return rows.filter(isSound).map(({ secretHash: _secret, data: _data, version: _version, ...info }) => info);
  }

  /** Ends a session by its id; whether there was one. */
  async end(id: string): Promise<boolean> {
    const removed = await this.#context.guard.run((driver) => driver.end(id));
    if (removed) this.#context.emit({ type: "ended", id, reason: "revoked" });
    return removed;
  }

  /** Ends all sessions of a user (disabled account, changed password), but the one with the id `except`; how many. */
  async endAll(userid: string, { except }: { except?: string } = {}): Promise<number> {
    const ids = await this.#context.guard.run((driver) => driver.endByUser(userid, except));
    for (const id of ids) this.#context.emit({ type: "ended", id, userid, reason: "revoked" });
    return ids.length;
  }

  /** Ends everybody's sessions, after an incident; how many. */
  async endEverybody(): Promise<number> {
    return this.#context.guard.run((driver) => driver.endAll());
  }

  /** Whether the store answers, within `storeTimeout`. */
  async health(): Promise<"up" | "down"> {
    try {
      await this.#context.guard.run((driver) => driver.ping());
      return "up";
    } catch {
      // Why is in the event that the guard has emitted.
      return "down";
    }
  }

  /** Removes what has expired, in small batches; how many. Runs by itself every `purgeEvery` seconds. */
  async purge(): Promise<number> {
    const { guard, emit, now } = this.#context;
    let count = 0;
    for (let batch = PURGE_BATCH; batch === PURGE_BATCH && !this.#closed; count += batch) {
      batch = await guard.run((driver) => driver.purge(now(), PURGE_BATCH));
    }
    if (count > 0) emit({ type: "purged", count });
    return count;
  }

  /** Stops purging and closes the driver. Twice is fine. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#purgeTimer);
    await this.#context.guard.driver.close();
  }

  async #find(token: Token, client: () => Client): Promise<Found | "renewed" | undefined> {
    const found = await this.#read(token);
    if (found === undefined || found === "renewed") return found;
    const { row } = found;
    const { id, userid } = row;
    const { settings, lifetime, emit } = this.#context;
    // The settings may have become stricter since the row was written.
    if (Math.min(row.expires, expiry(row.updated, row.idle, row.created, lifetime)) < this.#context.now()) {
      emit({ type: "expired", id, userid });
      return undefined;
    }
    const by =
      settings.ipAddressLock && row.ipaddress !== client().ipaddress
        ? "ipaddress"
        : settings.userAgentLock && row.useragent !== client().useragent
          ? "useragent"
          : undefined;
    if (by === undefined) return found;
    // Whoever it is that is moving: one of two holds a stolen token, and neither may go on with it.
    await this.#context.guard.run((driver) => driver.end(id));
    const reason: EndReason = "locked";
    emit({ type: "locked", id, userid, by });
    emit({ type: "ended", id, userid, reason });
    return undefined;
  }

  async #read(token: Token): Promise<Found | "renewed" | undefined> {
    const { settings, lifetime, guard, emit } = this.#context;
    const { id, secretHash } = token;
    const access: Access = { now: this.#context.now(), touch: { lifetime, every: settings.touchEvery, secretHash } };
    try {
      const row = await guard.run((driver) => driver.read(id, access));
      if (row === undefined) return undefined;
      if (!isSound(row)) throw new UnreadableRow("its times and numbers can't be");
      return sameSecret(token, row.secretHash) ? { row, token, data: readData(row.data) } : "renewed";
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error;
      emit({ type: "unreadable", id, message: error.message });
      return undefined;
    }
  }

  #tokenOf(request: SessionRequest, encrypted: boolean): { token: Token | undefined; bearer: boolean } {
    const name = cookieName(this.settings, isSecure(this.settings, encrypted));
    const cookie = readCookie(request.header("cookie"), name);
    const token = cookie === undefined ? undefined : parseToken(cookie);
    if (token !== undefined) return { token, bearer: false };
    const text = /^Bearer +(\S+) *$/i.exec(request.header("authorization") ?? "")?.[1];
    if (text === undefined) return NO_TOKEN;
    return { token: parseToken(text), bearer: true };
  }

  #client(request: SessionRequest): Client {
    return {
      ipaddress: this.#proxies.address(request),
      useragent: (request.header("user-agent") ?? "").slice(0, MAX_USERAGENT),
    };
  }

  #skips(url: string): boolean {
    return this.settings.skip.some((path) => {
      const next = url.startsWith(path) ? url[path.length] : "other";
      return next === undefined || next === "/" || next === "?";
    });
  }

  /** Jittered, so that processes started together don't purge together. Never keeps the process alive. */
  #schedulePurge(): void {
    if (this.#closed) return;
    const wait = this.settings.purgeEvery * 1000 * (0.5 + Math.random());
    this.#purgeTimer = setTimeout(async () => {
      try {
        await this.purge();
      } catch (error) {
        this.#context.emit({
          type: "warning",
          message: `Purging expired sessions failed: ${(error as Error).message}`,
        });
      }
      this.#schedulePurge();
    }, wait).unref();
  }
}

/** The last second that a Date can hold. */
const END_OF_TIME = 8.64e12;

/** Whether the numbers of a row are such as we write: a hand may have changed them. */
function isSound({ created, updated, authenticated, idle, expires, version }: SessionRow): boolean {
  const times = [created, updated, authenticated, expires];
  return (
    [...times, idle, version].every(Number.isSafeInteger) && times.every((time) => time >= 0 && time <= END_OF_TIME)
  );
}

const NO_TOKEN = { token: undefined, bearer: false };

/** A hook that throws must not break the request that it is told about. */
function safely(hook: EventHook): EventHook {
  return (event) => {
    try {
      hook(event);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}
