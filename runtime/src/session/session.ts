// A session as handlers see it.
// To store something about every session, use session-columns.ts; change this file to offer handlers something new.
import type { SessionColumns } from "../session-columns.ts";
import type { SessionData } from "../session-data.ts";
import { InvalidData, member } from "./data.ts";
import { destroy, reload, save, saveNow, signIn } from "./saving.ts";
import type { SessionState } from "./state.ts";
import type { Storable } from "./storable.ts";
import { isUpdating, type Update, update } from "./update.ts";
import { checkUserid } from "./userid.ts";

/** As middleware that was written for express-session passes it. It gets the error instead of the promise. */
type Callback = (error?: unknown) => void;

export class Session {
  readonly #findState: () => SessionState;
  #cookie: object | undefined;

  static {
    // Code in sloppy mode, such as CommonJS modules, may assign to a property without a setter and never hear of it.
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(Session.prototype))) {
      if (property.get !== undefined && property.set === undefined) {
        Object.defineProperty(Session.prototype, name, { ...property, set: () => refuseAssignment(name) });
      }
    }
  }

  /** @param findState called whenever code reads or writes something of the session */
  constructor(findState: () => SessionState) {
    this.#findState = findState;
  }

  get #state(): SessionState {
    return this.#findState();
  }

  /** Whether it is in the store: not before a handler writes to it. */
  get exists(): boolean {
    return this.#state.row !== undefined && !this.ended;
  }

  /** Whether it was ended, here or elsewhere, while this request ran. Nothing is saved any more then. */
  get ended(): boolean {
    return this.#state.endedBy !== undefined;
  }

  /** Whether the client sends its token as Authorization: Bearer, and gets no cookie. */
  get bearer(): boolean {
    return this.#state.options.bearer;
  }

  /** The public half of the token, safe to show and to log; undefined until there is a session. */
  get id(): string | undefined {
    return this.#state.row?.id;
  }

  /** What the client holds; "" until there is a session. Never log it. */
  get token(): string {
    return (this.#state.pending.token ?? this.#state.token)?.text ?? "";
  }

  /** Seconds since 1970, like all times here; 0 until there is a session. */
  get created(): number {
    return this.#state.row?.created ?? 0;
  }

  /** The last access, to within `touchEvery`. */
  get updated(): number {
    return this.#state.row?.updated ?? 0;
  }

  /** The last sign-in; 0 if there was none. */
  get authenticated(): number {
    return this.#state.pending.authenticated ?? this.#state.row?.authenticated ?? 0;
  }

  /** The client's address in the session's first request. */
  get ipaddress(): string {
    return (this.#state.row ?? this.#state.options.client()).ipaddress;
  }

  /** The client's address in this request, as far as `trustProxy` allows it to be known. Limits on attempts count by it. */
  get clientAddress(): string {
    return this.#state.options.client().ipaddress;
  }

  /** The User-Agent header of the session's first request. */
  get useragent(): string {
    return (this.#state.row ?? this.#state.options.client()).useragent;
  }

  /** The session's own idle timeout in seconds: set it for "remember me". The absolute limit stays. */
  get idle(): number {
    return this.#state.pending.idle ?? this.#state.row?.idle ?? this.#state.context.settings.idle;
  }

  set idle(seconds: number) {
    const { lifetime } = this.#state.context;
    if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > lifetime) {
      throw new RangeError(
        `session.idle is ${seconds}; it must be whole seconds, from 1 to the lifetime of ${lifetime}`,
      );
    }
    this.#state.setIdle(seconds);
  }

  /** null for a guest. */
  get userid(): string | null {
    const { pending, row } = this.#state;
    return pending.userid !== undefined ? pending.userid : (row?.userid ?? null);
  }

  /** Another user means a new secret, as by `signIn`; saved at the end of the request. */
  set userid(userid: string | null) {
    if (userid === this.userid) return;
    if (userid !== null) this.#checkUserid(userid);
    this.#state.setUser(userid);
  }

  /** Whatever differs at the end of the request is saved, by top-level key. */
  get data(): Storable<SessionData> {
    return this.#state.data;
  }

  set data(data: SessionData) {
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      throw new InvalidData("session.data must be an object");
    }
    this.#state.data = data;
  }

  /** The app's own columns (src/session-columns.ts). Whatever differs at the end of the request is saved. */
  get columns(): SessionColumns {
    return this.#state.columns;
  }

  /** Starts a session even if nothing is written to it. */
  start(): void {
    this.#state.start();
  }

  /**
   * Signs a user in, with a new secret. Saved when it resolves. A session that was ended meanwhile, or renewed by
   * another sign-in, is replaced by a new one.
   */
  signIn(userid: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkUserid(userid);
      await signIn(this.#state, userid);
    });
  }

  /** Whether the user signed in within the last `seconds`. Ask before what a stranger at an open browser must not do. */
  fresh(seconds: number): boolean {
    return this.userid !== null && this.#state.context.now() - this.authenticated <= seconds;
  }

  /** Gives the session a new secret; the old token is dead when this resolves. */
  renew(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.exists) return;
      this.#state.renew();
      await save(this.#state);
    });
  }

  /** Ends the session: row and cookie go, at once and for good. */
  destroy(callback?: Callback): Promise<void> {
    return withCallback(
      this.#inTurn(() => destroy(this.#state)),
      callback,
    );
  }

  /**
   * Saves now. Every request does so before its response is sent; WebSockets and jobs, which send none, must call it.
   * For them it is an access as well: it keeps the session from expiring, and finds out whether it has `ended`.
   */
  save(callback?: Callback): Promise<void> {
    const saved = this.#inTurn(async () => {
      this.refuseForeignProperties();
      await saveNow(this.#state);
    });
    return withCallback(saved, callback);
  }

  /** Looks at the session again: data and columns are as stored by now, and `ended` says whether it is still there. */
  reload(callback?: Callback): Promise<void> {
    return withCallback(
      this.#inTurn(() => reload(this.#state)),
      callback,
    );
  }

  /**
   * One atomic step: parallel updates all count. `change` gets the data as stored and may run several times.
   * Resolves to what it returned; undefined if the session was ended meanwhile.
   */
  update<T>(change: Update<T>): Promise<T | undefined> {
    return this.#inTurn(() => update(this.#state, change));
  }

  /** What the session's user may see, which is not the token. */
  toJSON(): Record<string, unknown> {
    const { id, userid, created, updated, idle, ipaddress, useragent, data } = this;
    return { id, userid, created, updated, idle, ipaddress, useragent, data };
  }

  /** For the runtime: throws InvalidData for what other middleware has set on the session, since it would be lost. */
  refuseForeignProperties(): void {
    const [key] = Object.keys(this);
    if (key !== undefined) {
      const name = member(key);
      throw new InvalidData(
        `session${name} was set, but only session.data is stored: use session.data${name}, and declare it in src/session-data.ts`,
      );
    }
    const [attribute] = this.#cookie === undefined ? [] : Object.keys(this.cookie);
    if (attribute !== undefined) {
      throw new InvalidData(
        `session.cookie.${attribute} was set, but has no effect: session.idle says how long this session lives, ` +
          "and the settings SESSION_COOKIE_… say what its cookie is like",
      );
    }
  }

  /** Only for middleware that was written for other session systems: whatever it sets here is refused with an explanation. */
  private get cookie(): object {
    this.#cookie ??= {};
    return this.#cookie;
  }

  /** Runs after the writes that are under way. The end of the request waits for it, and reports a failure that no handler has seen. */
  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const isWithin = isUpdating(this.#state);
    const { unavailable } = this.#state.options;
    if (!isWithin && unavailable === undefined) return this.#state.queue.run(write);
    const message = isWithin
      ? "session.update's callback can't save, update or end the same session: it would wait for itself"
      : `There is no session here. ${unavailable}`;
    const refused = Promise.reject(new Error(message));
    // A caller that doesn't wait for it must not end the process.
    refused.catch(() => undefined);
    return refused;
  }

  #checkUserid(userid: string): void {
    checkUserid(userid, this.#state.context.guard.driver.limits);
  }
}

function withCallback(done: Promise<void>, callback: Callback | undefined): Promise<void> {
  return typeof callback === "function" ? done.then(() => callback(), callback) : done;
}

function refuseAssignment(name: string): never {
  throw new InvalidData(`session.${name} can't be set; what is to be stored belongs in session.data`);
}
