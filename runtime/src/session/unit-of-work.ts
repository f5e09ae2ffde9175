// The state behind a Session: what a request has found, changed and still has to write.
// Change here what is written when; what handlers see is in session.ts.
import { initialColumns } from "../session-columns.ts";
import type { SessionData } from "../session-data.ts";
import {
  type ChangeResult,
  expiry,
  type FoundRow,
  patchData,
  type SessionChange,
  type SessionRow,
  StoreUnavailable,
  touchInterval,
} from "./contract.ts";
import { changesOf, copyOf, type DataChange, DataTooLarge, readData, type StoredData } from "./data.ts";
import type { EventHook } from "./events.ts";
import type { Guard, Renewals, Turns } from "./guard.ts";
import { isBeyondLimit } from "./limit.ts";
import type { SessionSettings } from "./settings.ts";
import { newToken, renewedToken, type Token } from "./token.ts";

/** Shared by all sessions of one Sessions object. */
export interface SessionContext {
  settings: SessionSettings;
  /** Seconds; UNLIMITED where the settings say 0. */
  lifetime: number;
  guard: Guard;
  turns: Turns;
  renewals: Renewals;
  emit: EventHook;
  /** Warns at the first call only. */
  warnOnce(message: string): void;
  /** Integer seconds since 1970. */
  now(): number;
}

/** The session that a request has brought, and the token that proved it. */
export interface Found {
  row: FoundRow;
  token: Token;
  data: StoredData;
}

export interface Client {
  ipaddress: string;
  useragent: string;
}

/** To be written, besides data. */
interface Pending {
  userid?: string | null;
  authenticated?: number;
  idle?: number;
  token?: Token;
}

interface Unsaved {
  data: DataChange | undefined;
}

const EMPTY = "{}";
const MAX_ROUNDS = 100;
/** Bytes that a write may set without being checked against what is stored by now. */
const SMALL = 256;

export class UnitOfWork {
  readonly context: SessionContext;
  readonly client: () => Client;
  row: SessionRow | undefined;
  token: Token | undefined;
  pending: Pending = {};
  /** A session is to start even if nothing is written to it. */
  started = false;
  /** Nothing is written any more. */
  ended = false;
  /** Ended by `maxPerUser`, right after signing in. */
  beyondLimit = false;
  /** It ends with the token that it was opened with. */
  bound = false;
  /** The client has to learn the token. */
  tokenIsNew = false;
  /** `expires` has moved, and the cookie's with it. */
  moved: boolean;
  #data: SessionData | undefined;
  /** What `#data` is compared with: the data of `row`. */
  #stored: StoredData | undefined;
  /** Writes come one after the other. */
  #writing: Promise<void> | undefined;
  /** The last of them, with its result. */
  #latest: Promise<unknown> | undefined;

  constructor(context: SessionContext, client: () => Client, found: Found | undefined) {
    this.context = context;
    this.client = client;
    this.row = found?.row;
    this.token = found?.token;
    this.moved = found?.row.touched ?? false;
    this.#stored = found?.data;
  }

  get data(): SessionData {
    this.#data ??= copyOf(this.#storedData());
    return this.#data;
  }

  set data(data: SessionData) {
    this.#data = Object.assign(Object.create(null), data);
  }

  /** Another user, or the same anew, with a new secret: whoever knew the old token is out. */
  authenticate(userid: string | null): void {
    this.pending.userid = userid;
    this.pending.authenticated = userid === null ? 0 : this.context.now();
    this.renew();
  }

  renew(): void {
    if (this.row !== undefined) this.pending.token = renewedToken(this.row.id);
  }

  /** Runs after the writes that are under way. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    // A failed write has told its own caller; the next one tries by itself.
    const result = this.#writing === undefined ? work() : this.#writing.then(work);
    const done = () => {
      if (this.#writing === writing) this.#writing = this.#latest = undefined;
    };
    // First: a handler that catches a failure and answers at once has dealt with it.
    const writing: Promise<void> = result.then(done, done);
    this.#writing = writing;
    this.#latest = result;
    return result;
  }

  /** Authenticates and saves, or leaves all as it was. */
  async signIn(userid: string): Promise<void> {
    const before = this.pending;
    this.pending = { ...before };
    this.authenticate(userid);
    try {
      await this.save();
    } catch (error) {
      this.pending = before;
      throw error;
    }
  }

  unsaved(): Unsaved | undefined {
    if (this.ended) return undefined;
    const data = this.dataChange();
    const { userid, token, idle } = this.pending;
    const isClean =
      this.row === undefined
        ? // Neither an idle timeout nor the absence of a user starts a session.
          !this.started && (userid === undefined || userid === null)
        : userid === undefined && token === undefined && idle === undefined;
    return data === undefined && isClean ? undefined : { data };
  }

  dataChange(): DataChange | undefined {
    if (this.#data === undefined) return undefined;
    const stored = this.#storedData();
    const change = changesOf(this.#data, stored, this.context.guard.driver.limits);
    if (change !== undefined) this.checkSize(change.text, stored.text);
    return change;
  }

  /** A session that is too large already may still shrink. */
  checkSize(text: string, stored: string): void {
    const { maxDataBytes } = this.context.settings;
    const bytes = Buffer.byteLength(text);
    if (bytes > maxDataBytes && bytes > Buffer.byteLength(stored)) {
      throw new DataTooLarge(`The session's data would be ${bytes} bytes, more than the ${maxDataBytes} allowed`);
    }
  }

  async save(unsaved = this.unsaved()): Promise<void> {
    if (unsaved === undefined) return;
    const { userid } = this.pending;
    if (this.row === undefined) await this.#create(unsaved.data);
    else await this.#write(this.row, unsaved.data);
    if (typeof userid === "string" && this.row !== undefined && !this.ended) {
      this.beyondLimit = await isBeyondLimit(this.context, userid, this.row.id);
      if (this.beyondLimit) this.end();
    }
  }

  /** Saves and touches at the end of a request; undefined if there is nothing to wait for. */
  finish(): Promise<void> | undefined {
    // No handler has waited for a write that is still under way: its failure is this request's.
    const latest = this.#latest;
    const unsaved = latest === undefined ? this.unsaved() : undefined;
    if (latest === undefined && unsaved === undefined && !this.#touchDue()) return undefined;
    return this.inTurn(async () => {
      await latest;
      await this.save(unsaved);
      if (this.#touchDue()) await this.#touch();
    });
  }

  async reread(id: string): Promise<SessionRow | undefined> {
    const now = this.context.now();
    const row = await this.context.guard.read(id, { now });
    return row === undefined || row.expires < now ? undefined : row;
  }

  /** This request's own view of the data, as JSON text. */
  ownText(): string {
    return this.dataChange()?.text ?? this.#storedData().text;
  }

  /**
   * Takes over what an update has stored, in place: who holds `session.data` sees it.
   * @param seen the own view that the update began with: what was changed since then stays changed
   */
  replaceData(text: string, version: number, values: SessionData, seen: string): void {
    const later = this.#data && changesOf(this.#data, readData(seen));
    const data = this.data as unknown as Record<string, unknown>;
    if (this.row !== undefined) this.row = { ...this.row, data: text, version };
    for (const key of Object.keys(data)) if (!Object.hasOwn(values, key)) delete data[key];
    Object.assign(data, values);
    for (const key of later?.remove ?? []) delete data[key];
    for (const [key, json] of later?.set ?? []) data[key] = JSON.parse(json);
  }

  /** What was not saved is dropped: nothing may bring an ended session back. */
  end(): void {
    this.ended = true;
    this.pending = {};
    this.#data = undefined;
    if (this.row !== undefined) this.row = { ...this.row, data: EMPTY, userid: null };
  }

  /** As if the request had brought no session. */
  startOver(): void {
    this.ended = false;
    this.row = undefined;
    this.token = undefined;
    this.#data = undefined;
    delete this.pending.token;
  }

  #storedData(): StoredData {
    const text = this.row?.data ?? EMPTY;
    if (this.#stored?.text !== text) this.#stored = readData(text);
    return this.#stored as StoredData;
  }

  async #create(data: DataChange | undefined): Promise<void> {
    const { settings, lifetime, guard, emit } = this.context;
    const now = this.context.now();
    const token = newToken();
    await this.#settling(async ({ userid = null, authenticated = 0, idle = settings.idle }) => {
      const row: SessionRow = {
        id: token.id,
        secretHash: token.secretHash,
        ...{ userid, created: now, updated: now, authenticated, idle, expires: expiry(now, idle, now, lifetime) },
        ...this.client(),
        columns: initialColumns,
        data: data?.text ?? EMPTY,
        version: 1,
      };
      await guard.run((driver) => driver.create(row));
      this.row = row;
      this.token = token;
      this.tokenIsNew = true;
      emit({ type: "created", id: row.id, userid });
    });
  }

  async #write(row: SessionRow, data: DataChange | undefined): Promise<void> {
    const { lifetime, guard } = this.context;
    await this.#settling(async (settled) => {
      const { token, ...pending } = settled;
      const change: SessionChange = { now: this.context.now(), set: data?.set, remove: data?.remove, ...pending };
      if (token !== undefined || pending.idle !== undefined || this.#touchDue()) change.touch = { lifetime };
      if (token !== undefined) change.secretHash = token.secretHash;
      // A slow request with an old token must not get the session's new one.
      if (token !== undefined || this.bound) change.ifSecretHash = row.secretHash;
      const result =
        data !== undefined && isLarge(data)
          ? await this.#changeVersioned(row, change)
          : await guard.run((driver) => driver.change(row.id, change));
      if (result === "gone" || (result === "conflict" && this.bound && token === undefined)) this.end();
      else if (result === "conflict") await this.#afterConflict(row, settled, data);
      else this.#applied(row, change, data?.text ?? row.data, token);
    });
  }

  /** Checked against what is stored by now: parallel writes, each within the limit, could together exceed it by far. */
  async #changeVersioned(row: SessionRow, change: SessionChange): Promise<ChangeResult> {
    const { guard, turns } = this.context;
    const start = performance.now();
    return turns.take(row.id, async (waited) => {
      guard.refuseIfDownSince(start);
      let current: SessionRow | undefined = waited ? await this.reread(row.id) : row;
      for (let round = 0; round < MAX_ROUNDS && current !== undefined; round++) {
        this.checkSize(patchData(current.data, change), current.data);
        const versioned: SessionChange = { ...change, ifVersion: current.version };
        const result = await guard.run((driver) => driver.change(row.id, versioned));
        if (result !== "conflict") return result;
        const stored = await this.reread(row.id);
        if (stored?.version === current.version) return "conflict";
        current = stored;
      }
      if (current === undefined) return "gone";
      throw new StoreUnavailable("The session is changed too often by others to be written to");
    });
  }

  /** What is pending now counts as written, unless `write` fails; what becomes pending meanwhile is kept. */
  async #settling(write: (pending: Pending) => Promise<void>): Promise<void> {
    const { pending } = this;
    this.pending = {};
    try {
      await write(pending);
    } catch (error) {
      this.pending = { ...pending, ...this.pending };
      throw error;
    }
  }

  #applied(row: SessionRow, change: SessionChange, data: string, token?: Token): void {
    const { touch, now, userid = row.userid, authenticated = row.authenticated, idle = row.idle } = change;
    const updated = touch === undefined ? row.updated : Math.max(row.updated, now);
    const expires = touch === undefined ? row.expires : expiry(updated, idle, row.created, touch.lifetime);
    const secretHash = change.secretHash ?? row.secretHash;
    this.row = { ...row, userid, authenticated, idle, updated, expires, secretHash, data, version: row.version + 1 };
    if (token !== undefined) {
      this.token = token;
      this.tokenIsNew = true;
      this.context.renewals.note(row.id);
      this.context.emit({ type: "renewed", id: row.id, userid });
    }
    if (touch !== undefined) this.moved = true;
  }

  /** The secret has been replaced since this request was let in. */
  async #afterConflict(row: SessionRow, settled: Pending, data: DataChange | undefined): Promise<void> {
    const { token, ...rest } = settled;
    const stored = await this.reread(row.id);
    this.pending = { ...rest, ...this.pending };
    if (stored === undefined) return this.end();
    if (token !== undefined && Buffer.compare(stored.secretHash, token.secretHash) === 0) {
      // It was this request itself, by a write whose answer came too late.
      this.#applied(row, { now: this.context.now(), secretHash: token.secretHash }, row.data, token);
      return this.save();
    }
    if (rest.userid === null) {
      // A sign-out holds, whatever secret there is by now.
      await this.context.guard.run((driver) => driver.end(row.id));
      return this.end();
    }
    if (rest.userid !== undefined) {
      // A sign-in stands on its credentials, not on the old token: it gets a session of its own.
      const own = this.data;
      this.startOver();
      this.data = own;
      return this.#create(this.dataChange());
    }
    // It asked for a new secret, and there is one, not for it to have: only what it wrote is kept.
    if (data !== undefined || rest.idle !== undefined) await this.save();
  }

  #touchDue(): boolean {
    if (this.row === undefined || this.ended) return false;
    const { updated, idle } = this.row;
    return this.context.now() - updated >= touchInterval(this.context.settings.touchEvery, idle);
  }

  /** For drivers that can't touch while reading. A failure is no loss: the next access makes it. */
  async #touch(): Promise<void> {
    const { now, lifetime, guard } = this.context;
    const { row } = this;
    if (row === undefined) return;
    const change: SessionChange = { now: now(), touch: { lifetime }, ifSecretHash: row.secretHash };
    try {
      const result = await guard.run((driver) => driver.change(row.id, change));
      if (result === "gone") this.end();
      if (result === "done") this.#applied(row, change, row.data);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

/** By what it sets, whatever it removes. */
function isLarge({ set }: DataChange): boolean {
  let bytes = 0;
  for (const [key, json] of set) bytes += Buffer.byteLength(key) + Buffer.byteLength(json);
  return bytes > SMALL;
}
