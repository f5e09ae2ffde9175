// A session as handlers see it.
// Add a property once it is in SessionRow, driver and schema; unit-of-work.ts saves it.
import type { SessionData } from "../session-data.ts";
import { checkText, InvalidData } from "./data.ts";
import { type Client, type Found, type SessionContext, UnitOfWork } from "./unit-of-work.ts";
import { isComputing, type Update, update } from "./update.ts";

/** What the answer says to a browser. */
export interface CookieOrder {
  action: "none" | "set" | "clear";
  /** The request's own token; only the cookie's expiry moves. */
  repeats: boolean;
  token: string;
  /** Seconds. */
  maxAge: number;
}

const MAX_USERID = 255;

interface SessionOptions {
  bearer: boolean;
  /** A path that has no session. */
  skipped?: boolean;
}

export class Session {
  /** The client sends its token as Authorization: Bearer, and gets no cookie. */
  readonly bearer: boolean;
  readonly #skipped: boolean;
  readonly #work: UnitOfWork;
  #destroyed = false;

  constructor(context: SessionContext, client: () => Client, options: SessionOptions, found?: Found) {
    this.bearer = options.bearer;
    this.#skipped = options.skipped ?? false;
    this.#work = new UnitOfWork(context, client, found);
  }

  /** Whether it is in the store: not before a handler writes. */
  get exists(): boolean {
    return this.#work.row !== undefined && !this.#work.ended;
  }

  /** It was ended, here or elsewhere, while this request ran: nothing is saved any more. */
  get ended(): boolean {
    return this.#work.ended;
  }

  /** The public half of the token, safe to show and to log; "" until there is a session. */
  get id(): string {
    return this.#work.row?.id ?? "";
  }

  /** The secret that the client holds; "" until there is a session. Never log it. */
  get token(): string {
    return (this.#work.pending.token ?? this.#work.token)?.text ?? "";
  }

  /** Seconds since 1970, as all times here; 0 until there is a session. */
  get created(): number {
    return this.#work.row?.created ?? 0;
  }

  /** The last access, to within `touchEvery`. */
  get updated(): number {
    return this.#work.row?.updated ?? 0;
  }

  /** The last sign-in; 0 if there was none. */
  get authenticated(): number {
    return this.#work.pending.authenticated ?? this.#work.row?.authenticated ?? 0;
  }

  /** Of the first request. */
  get ipaddress(): string {
    return (this.#work.row ?? this.#work.client()).ipaddress;
  }

  /** Of the first request. */
  get useragent(): string {
    return (this.#work.row ?? this.#work.client()).useragent;
  }

  /** Its own idle timeout in seconds: set it for "remember me". The absolute limit stays. */
  get idle(): number {
    return this.#work.pending.idle ?? this.#work.row?.idle ?? this.#work.context.settings.idle;
  }

  set idle(seconds: number) {
    const { lifetime } = this.#work.context;
    if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > lifetime) {
      throw new RangeError(`session.idle is ${seconds}; it is whole seconds, from 1 to the lifetime of ${lifetime}`);
    }
    this.#work.pending.idle = seconds;
  }

  get userid(): string | null {
    const { pending, row } = this.#work;
    return pending.userid !== undefined ? pending.userid : (row?.userid ?? null);
  }

  /** Another user means a new secret, as by `signIn`; saved at the end of the request. */
  set userid(userid: string | null) {
    if (userid === this.userid) return;
    if (userid !== null) this.#checkUserid(userid);
    this.#work.authenticate(userid);
  }

  /** What differs at the end of the request is saved, by top-level key. */
  get data(): SessionData {
    return this.#work.data;
  }

  set data(data: SessionData) {
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      throw new InvalidData("session.data must be an object");
    }
    this.#work.data = data;
  }

  /** Starts a session even if nothing is written to it. */
  start(): void {
    this.#work.started = true;
  }

  /**
   * Signs a user in, with a new secret. Saved when it resolves.
   * A session that was ended, or renewed by another sign-in meanwhile, is replaced by a new one.
   */
  signIn(userid: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUserid(userid);
      if (this.#work.ended) this.#startOver();
      await this.#work.signIn(userid);
      if (!this.#work.ended || this.#work.beyondLimit) return;
      this.#startOver();
      await this.#work.signIn(userid);
    });
  }

  /** Whether the user signed in within the last `seconds`: ask before what a stranger at an open browser must not do. */
  fresh(seconds: number): boolean {
    return this.userid !== null && this.#work.context.now() - this.authenticated <= seconds;
  }

  /** Gives the session a new secret; the old token is dead when this resolves. */
  renew(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.exists) return;
      this.#work.renew();
      await this.#work.save();
    });
  }

  /** Ends the session: row and cookie go, at once and for good. */
  destroy(): Promise<void> {
    return this.#inTurn(async () => {
      const { row, ended, context } = this.#work;
      if (ended) return;
      if (row === undefined) {
        // Not stored yet; nothing of it will be.
        this.#work.end();
        return;
      }
      const removed = await context.guard.run((driver) => driver.end(row.id));
      this.#work.end();
      this.#destroyed = true;
      if (removed) context.emit({ type: "ended", id: row.id, userid: row.userid, reason: "destroyed" });
    });
  }

  /** Saves now, as every request does before its answer leaves: for WebSockets and jobs, which have none. */
  save(): Promise<void> {
    return this.#inTurn(() => this.#work.save());
  }

  /**
   * One atomic step: parallel updates all count. `change` gets the data as stored and may run several times.
   * Resolves to what it returned; undefined if the session was ended meanwhile.
   */
  update<T>(change: Update<T>): Promise<T | undefined> {
    return this.#inTurn(() => update(this.#work, change));
  }

  /** What its user may see: not the token. */
  toJSON(): Record<string, unknown> {
    const { id, userid, created, updated, idle, ipaddress, useragent, data } = this;
    return { id, userid, created, updated, idle, ipaddress, useragent, data };
  }

  /** For the runtime: saves at the end of a request; undefined if there is nothing to wait for. */
  finish(): Promise<void> | undefined {
    return this.#work.finish();
  }

  /** For the runtime: another request that gets the session a new token ends this view of it. */
  bindToToken(): void {
    this.#work.bound = true;
  }

  /** For the runtime: whether a save would write anything. */
  get hasUnsaved(): boolean {
    return this.#work.unsaved() !== undefined;
  }

  /** For the runtime: whether the client has to learn a token by this answer. */
  get hasNewToken(): boolean {
    return this.#work.tokenIsNew;
  }

  /** For the runtime: what becomes of the cookie. */
  get cookie(): CookieOrder {
    const { row, token, tokenIsNew, moved, context } = this.#work;
    if (this.#destroyed && !this.bearer) return { action: "clear", repeats: false, token: "", maxAge: 0 };
    if (this.bearer || row === undefined || token === undefined || this.ended || !(tokenIsNew || moved)) {
      return { action: "none", repeats: false, token: "", maxAge: 0 };
    }
    const maxAge = Math.max(0, row.expires - context.now());
    return { action: "set", repeats: !tokenIsNew, token: token.text, maxAge };
  }

  /** For the runtime: whether the token is still the session's, asked of the store. */
  async stillCurrent(): Promise<boolean> {
    const { row, context } = this.#work;
    const stored = await context.guard.read(this.id, { now: context.now() });
    return row !== undefined && stored !== undefined && Buffer.compare(stored.secretHash, row.secretHash) === 0;
  }

  /** The promise that `finish` waits for: a failure that no handler has seen is handled there. */
  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const isWithin = isComputing(this.#work);
    if (!isWithin && !this.#skipped) return this.#work.inTurn(write);
    const message = isWithin
      ? "session.update's callback can't save, update or end the same session: it would wait for itself"
      : "This path is one of `skip` (SESSION_SKIP), which have no session";
    const refused = Promise.reject(new Error(message));
    // Not waiting for it must not end the process.
    refused.catch(() => undefined);
    return refused;
  }

  #checkUserid(userid: string): void {
    if (typeof userid !== "string" || userid === "" || userid.length > MAX_USERID || !userid.isWellFormed()) {
      throw new InvalidData(`userid must be well-formed text of 1 to ${MAX_USERID} characters, or null`, 422);
    }
    checkText(userid, "userid", this.#work.context.guard.driver.limits ?? {});
  }

  #startOver(): void {
    this.#work.startOver();
    this.#destroyed = false;
  }
}
