// Stores sessions in this process's memory. They end with the process, and no other process sees them.
// Change it to choose differently which session is ended when there is no room for a new one.

import {
  type Access,
  type ChangeResult,
  expiry,
  type FoundRow,
  patchData,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
  type Touch,
  touchInterval,
} from "../session/contract.ts";
import type { StoreSettings } from "./settings.ts";

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 1000;

/** Users that `stats` names. */
const TOP_USERS = 10;

export function createDriver(settings: StoreSettings, _timeout: number): SessionDriver {
  return new MemoryDriver(settings.maxSessions);
}

class MemoryDriver implements SessionDriver {
  readonly inProcess = true;
  /** In the order of the last access, the earliest first. Rows are replaced, never edited. */
  readonly #rows = new Map<string, SessionRow>();
  readonly #byUser = new Map<string, Set<string>>();
  readonly #maxSessions: number;
  #purged = 0;
  #closed = false;

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  async setup(): Promise<void> {
    this.#checkOpen();
  }

  async check(): Promise<void> {
    this.#checkOpen();
  }

  async create(row: SessionRow): Promise<void> {
    this.#checkOpen();
    if (this.#rows.has(row.id)) throw new Error(`There is a session ${row.id} already.`);
    this.#makeRoom(row.created);
    this.#put(copyOf(row));
  }

  read(id: string, { now, touch }: Access): FoundRow | undefined {
    this.#checkOpen();
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    if (touch === undefined || !isTouchDue(row, now, touch)) return copyOf(row);
    const touched = touchedRow(row, now, touch);
    this.#replace(row, touched);
    return { ...copyOf(touched), touched: true };
  }

  change(id: string, change: SessionChange): ChangeResult {
    this.#checkOpen();
    const row = this.#rows.get(id);
    if (row === undefined || row.expires < change.now) return "gone";
    const { ifVersion, ifSecretHash, touch, whole } = change;
    if (ifVersion !== undefined && ifVersion !== row.version) return "conflict";
    if (ifSecretHash !== undefined && Buffer.compare(ifSecretHash, row.secretHash) !== 0) return "conflict";
    const changed: SessionRow = {
      ...row,
      userid: change.userid === undefined ? row.userid : change.userid,
      secretHash: change.secretHash ?? row.secretHash,
      authenticated: change.authenticated ?? row.authenticated,
      idle: change.idle ?? row.idle,
      columns: { ...row.columns, ...change.columns },
      data: whole?.version === row.version ? whole.data : patchData(row.data, change),
      version: row.version + 1,
    };
    this.#replace(row, touch ? touchedRow(changed, change.now, touch) : changed);
    return "done";
  }

  async end(id: string): Promise<boolean> {
    this.#checkOpen();
    return this.#remove(id);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    this.#checkOpen();
    const rows = this.#liveRows(this.#byUser.get(userid) ?? [], now);
    rows.sort((one, other) => other.created - one.created);
    return rows.slice(0, limit).map(infoOf);
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    this.#checkOpen();
    const ids = [...(this.#byUser.get(userid) ?? [])].filter((id) => id !== exceptId).slice(0, limit);
    for (const id of ids) this.#remove(id);
    return ids;
  }

  async endAll(limit: number): Promise<number> {
    this.#checkOpen();
    let ended = 0;
    for (const id of this.#rows.keys()) {
      if (ended === limit) break;
      this.#remove(id);
      ended++;
    }
    return ended;
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    this.#checkOpen();
    // The ids are fixed beforehand, since a touch moves a row to the end of the Map, where it would be met again.
    const ids = [...this.#rows.keys()];
    for (let start = 0; start < ids.length; start += LISTED_AT_ONCE) {
      yield this.#liveRows(ids.slice(start, start + LISTED_AT_ONCE), now).map(infoOf);
    }
  }

  async stats(now: number): Promise<StoreStats> {
    this.#checkOpen();
    let live = 0;
    const byUser = new Map<string, number>();
    for (const { userid, expires } of this.#rows.values()) {
      if (expires < now) continue;
      live++;
      if (userid !== null) byUser.set(userid, (byUser.get(userid) ?? 0) + 1);
    }
    const users = [...byUser].map(([userid, sessions]) => ({ userid, sessions }));
    const signedIn = users.reduce((sum, { sessions }) => sum + sessions, 0);
    users.sort((one, other) => other.sessions - one.sessions);
    return { live, expired: this.#rows.size - live, signedIn, users: users.slice(0, TOP_USERS) };
  }

  async purge(now: number, limit: number): Promise<number> {
    this.#checkOpen();
    return this.#purge(now, limit);
  }

  async ping(): Promise<void> {
    this.#checkOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rows.clear();
    this.#byUser.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
  }

  #liveRows(ids: Iterable<string>, now: number): SessionRow[] {
    const rows: SessionRow[] = [];
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row !== undefined && row.expires >= now) rows.push(row);
    }
    return rows;
  }

  /** Removes expired sessions first, which it looks for once a second, and then the one that has been idle longest. */
  #makeRoom(now: number): void {
    if (this.#rows.size < this.#maxSessions) return;
    if (this.#purged !== now) this.#purge(now, this.#rows.size);
    this.#purged = now;
    const [longestIdle] = this.#rows.keys();
    if (this.#rows.size >= this.#maxSessions && longestIdle !== undefined) this.#remove(longestIdle);
  }

  #purge(now: number, limit: number): number {
    let purged = 0;
    for (const { id, expires } of this.#rows.values()) {
      if (purged === limit) break;
      if (expires < now && this.#remove(id)) purged++;
    }
    return purged;
  }

  #put(row: SessionRow): void {
    this.#rows.set(row.id, row);
    if (row.userid === null) return;
    const ids = this.#byUser.get(row.userid);
    if (ids) ids.add(row.id);
    else this.#byUser.set(row.userid, new Set([row.id]));
  }

  #replace(row: SessionRow, next: SessionRow): void {
    if (next.userid !== row.userid || next.updated !== row.updated) this.#remove(row.id);
    this.#put(next);
  }

  #remove(id: string): boolean {
    const row = this.#rows.get(id);
    if (row?.userid != null) {
      const ids = this.#byUser.get(row.userid);
      ids?.delete(id);
      if (ids?.size === 0) this.#byUser.delete(row.userid);
    }
    return this.#rows.delete(id);
  }
}

function isTouchDue(row: SessionRow, now: number, touch: NonNullable<Access["touch"]>): boolean {
  if (row.expires < now || now - row.updated < touchInterval(touch.every, row.idle)) return false;
  return Buffer.compare(row.secretHash, touch.secretHash) === 0;
}

function touchedRow(row: SessionRow, now: number, { lifetime }: Touch): SessionRow {
  const updated = Math.max(row.updated, now);
  return { ...row, updated, expires: expiry(updated, row.idle, row.created, lifetime) };
}

function copyOf(row: SessionRow): SessionRow {
  return { ...row, columns: { ...row.columns } };
}

function infoOf(row: SessionRow): SessionInfo {
  const { secretHash: _secretHash, data: _data, version: _version, ...info } = copyOf(row);
  return info;
}
