// What one request knows of its session, and what it has changed and not saved yet.
// Change here what counts as a change; saving.ts writes it to the store.
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import type { SessionData } from "../session-data.ts";
import type { SessionContext, SessionOptions } from "./context.ts";
import { expiry, type FoundRow, type SessionChange, type SessionRow, touchInterval } from "./contract.ts";
import type { DataChange } from "./data.ts";
import { equalHashes, renewedToken, type Token } from "./token.ts";
import { WorkingCopy } from "./working-copy.ts";
import { WriteQueue } from "./write-queue.ts";

/** Changes besides data and columns that are not written yet. */
interface Pending {
  userid?: string | null;
  authenticated?: number;
  idle?: number;
  token?: Token;
  /** A session is to start even if nothing else is written to it. */
  start?: true;
}

export interface Unsaved {
  data: DataChange | undefined;
  columns: Partial<SessionColumns> | undefined;
}

/** "destroyed": by this request. "limit": by `maxPerUser`. "gone": from elsewhere, or it expired. */
type EndCause = "destroyed" | "limit" | "gone";

export class SessionState {
  readonly context: SessionContext;
  readonly options: SessionOptions;
  readonly queue = new WriteQueue();
  #row: SessionRow | undefined;
  #token: Token | undefined;
  #pending: Pending = {};
  #endedBy: EndCause | undefined;
  #tokenIsNew = false;
  #expiryMoved: boolean;
  #copy: WorkingCopy;
  #detached: boolean;
  #onAccess: (() => void) | undefined;

  constructor(context: SessionContext, options: SessionOptions) {
    this.context = context;
    this.options = options;
    const { match } = options;
    this.#row = match?.row;
    this.#token = match?.token;
    this.#copy = new WorkingCopy(context, match?.data);
    this.#detached = options.opened ?? false;
    this.#expiryMoved = match?.row.touched ?? false;
  }

  /** The stored session as far as this request knows; undefined until there is one. */
  get row(): SessionRow | undefined {
    return this.#row;
  }

  /** The token that belongs to `row`. */
  get token(): Token | undefined {
    return this.#token;
  }

  get pending(): Readonly<Pending> {
    return this.#pending;
  }

  /** Undefined while the session lives. Nothing is written any more once it has ended. */
  get endedBy(): EndCause | undefined {
    return this.#endedBy;
  }

  /** Whether the client has yet to learn the token. */
  get tokenIsNew(): boolean {
    return this.#tokenIsNew;
  }

  /** Whether `expires` has moved in this request, and the cookie has to follow. */
  get expiryMoved(): boolean {
    return this.#expiryMoved;
  }

  /** Whether no response waits for this session any more: it was opened outside the middleware, or the headers are sent. */
  get detached(): boolean {
    return this.#detached;
  }

  detach(): void {
    this.#detached = true;
  }

  /** Calls `notify` whenever code gets hold of something to write to. */
  onAccess(notify: () => void): void {
    this.#onAccess = notify;
  }

  get data(): SessionData {
    this.#onAccess?.();
    return this.#copy.data(this.#row);
  }

  set data(data: SessionData) {
    this.#onAccess?.();
    this.#copy.setData(data);
  }

  get columns(): SessionColumns {
    this.#onAccess?.();
    return this.#copy.columns(this.#row);
  }

  /** Another user, or the same one anew, gets a new secret, so that whoever knew the old token is out. */
  setUser(userid: string | null): void {
    this.#onAccess?.();
    this.#pending.userid = userid;
    this.#pending.authenticated = userid === null ? 0 : this.context.now();
    this.renew();
  }

  renew(): void {
    if (this.#row !== undefined) this.#pending.token = renewedToken(this.#row.id);
  }

  setIdle(seconds: number): void {
    this.#onAccess?.();
    this.#pending.idle = seconds;
  }

  start(): void {
    this.#onAccess?.();
    this.#pending.start = true;
  }

  /** Throws InvalidData or DataTooLarge for what can't be stored. */
  unsaved(): Unsaved | undefined {
    if (this.#endedBy !== undefined) return undefined;
    const data = this.#copy.dataChange(this.#row);
    const columns = this.#copy.columnsChange(this.#row);
    const isClean = data === undefined && columns === undefined && !this.#hasPending();
    return isClean ? undefined : { data, columns };
  }

  dataChange(): DataChange | undefined {
    return this.#copy.dataChange(this.#row);
  }

  /** This request's own view of the data, as JSON text. */
  ownText(): string {
    return this.#copy.text(this.#row);
  }

  touchDue(): boolean {
    if (this.#row === undefined || this.#endedBy !== undefined) return false;
    const { updated, idle } = this.#row;
    return this.context.now() - updated >= touchInterval(this.context.settings.touchEvery, idle);
  }

  /** What is pending counts as written unless `write` fails; what becomes pending meanwhile is kept. */
  async settle(write: (pending: Pending) => Promise<void>): Promise<void> {
    const pending = this.#pending;
    this.#pending = {};
    try {
      await write(pending);
    } catch (error) {
      this.keepPending(pending);
      throw error;
    }
  }

  /** Makes changes pending again; later ones of the same kind win. */
  keepPending(pending: Pending): void {
    this.#pending = { ...pending, ...this.#pending };
  }

  /** Runs `work`; if it fails, what was pending before is pending again, and nothing else. */
  async orRestorePending(work: () => Promise<void>): Promise<void> {
    const before = this.#pending;
    this.#pending = { ...before };
    try {
      await work();
    } catch (error) {
      this.#pending = before;
      throw error;
    }
  }

  created(row: SessionRow, token: Token): void {
    this.#row = row;
    this.#token = token;
    this.#tokenIsNew = true;
  }

  /** @param data the data after the write, as JSON text */
  written(row: SessionRow, change: SessionChange, data: string, token?: Token): void {
    const { touch, now, userid = row.userid, authenticated = row.authenticated, idle = row.idle } = change;
    const updated = touch === undefined ? row.updated : Math.max(row.updated, now);
    const expires = touch === undefined ? row.expires : expiry(updated, idle, row.created, touch.lifetime);
    const secretHash = change.secretHash ?? row.secretHash;
    const columns = { ...row.columns, ...change.columns };
    const version = row.version + 1;
    this.#row = { ...row, userid, authenticated, idle, updated, expires, secretHash, columns, data, version };
    if (touch !== undefined) this.#expiryMoved = true;
    if (token !== undefined) {
      this.#token = token;
      this.#tokenIsNew = true;
    }
  }

  /**
   * Takes over a row that was read again or written by an update; undefined where the session is not stored yet.
   * @param values the data as of now
   * @param seen this request's own view of the data, as JSON text, that `values` is based on
   */
  adopt(row: FoundRow | undefined, values: SessionData, seen: string): void {
    const own = this.#row;
    if (row !== undefined && own !== undefined) this.#row = withOwnIdentity(row, own);
    if (row?.touched) this.#expiryMoved = true;
    this.#copy.rebase(own, this.#row, values, seen);
  }

  /** The session was accessed without a change to its data. */
  accessed({ updated, expires, touched }: FoundRow): void {
    if (this.#row !== undefined) this.#row = { ...this.#row, updated, expires };
    if (touched) this.#expiryMoved = true;
  }

  /** Drops what was not saved: nothing may bring an ended session back. */
  end(cause: EndCause): void {
    this.#endedBy = cause;
    this.#pending = {};
    this.#copy = new WorkingCopy(this.context);
    if (this.#row !== undefined) this.#row = { ...this.#row, data: "{}", columns: initialColumns, userid: null };
  }

  /** Goes on as if the request had come without a session. */
  startOver(): void {
    this.#endedBy = undefined;
    this.#row = undefined;
    this.#token = undefined;
    this.#copy = new WorkingCopy(this.context);
    delete this.#pending.token;
  }

  /** Starts over, but with this request's own view of data and columns. */
  startOverWithData(): void {
    const { data, columns } = this;
    this.startOver();
    this.#copy.setData(data);
    this.#copy.setColumns(columns);
  }

  #hasPending(): boolean {
    const { start, userid, token, idle } = this.#pending;
    // Neither an idle timeout nor the absence of a user starts a session.
    if (this.#row === undefined) return start === true || typeof userid === "string";
    return userid !== undefined || token !== undefined || idle !== undefined;
  }
}

/** A request that was let in with an old secret must not learn who has signed in since. */
function withOwnIdentity(row: SessionRow, own: SessionRow): SessionRow {
  if (equalHashes(row.secretHash, own.secretHash)) return row;
  const { secretHash, userid, authenticated } = own;
  return { ...row, secretHash, userid, authenticated };
}
