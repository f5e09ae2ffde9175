// Stores sessions in this process's memory: gone with the process, one process by design.
// Change it to choose differently which session has to go when there is no room.

import {
  type Access,
  type ChangeResult,
  expiry,
  type FoundRow,
  type Page,
  patchData,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
  type Touch,
  touchInterval,
} from "../session/contract.ts";
import type { StoreSettings } from "./settings.ts";

export function createDriver(settings: StoreSettings, _timeout: number): SessionDriver {
  return new MemoryDriver(settings.maxSessions);
}

class MemoryDriver implements SessionDriver {
  readonly inProcess = true;
  /** The longest idle comes first. Rows are replaced, never edited. */
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
    this.#put({ ...row });
  }

  read(id: string, { now, touch }: Access): FoundRow | undefined {
    this.#checkOpen();
    const row = this.#rows.get(id);
    if (row === undefined || touch === undefined || row.expires < now) return row && { ...row };
    if (now - row.updated < touchInterval(touch.every, row.idle)) return { ...row };
    if (Buffer.compare(row.secretHash, touch.secretHash) !== 0) return { ...row };
    const touched = touchedRow(row, now, touch);
    this.#replace(row, touched);
    return { ...touched, touched: true };
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    this.#checkOpen();
    const row = this.#rows.get(id);
    if (row === undefined || row.expires < change.now) return "gone";
    const { ifVersion, ifSecretHash, touch } = change;
    if (ifVersion !== undefined && ifVersion !== row.version) return "conflict";
    if (ifSecretHash !== undefined && Buffer.compare(ifSecretHash, row.secretHash) !== 0) return "conflict";
    const changed: SessionRow = {
      ...row,
      userid: change.userid === undefined ? row.userid : change.userid,
      secretHash: change.secretHash ?? row.secretHash,
      authenticated: change.authenticated ?? row.authenticated,
      idle: change.idle ?? row.idle,
      data: patchData(row.data, change),
      version: row.version + 1,
    };
    this.#replace(row, touch ? touchedRow(changed, change.now, touch) : changed);
    return "done";
  }

  async end(id: string): Promise<boolean> {
    this.#checkOpen();
    return this.#remove(id);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    this.#checkOpen();
    const rows: SessionRow[] = [];
    for (const id of this.#byUser.get(userid) ?? []) {
      const row = this.#rows.get(id);
      if (row && row.expires >= now) rows.push({ ...row });
    }
    return rows.sort((one, other) => other.created - one.created).slice(0, limit);
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    this.#checkOpen();
    const ids = [...(this.#byUser.get(userid) ?? [])].filter((id) => id !== exceptId);
    for (const id of ids) this.#remove(id);
    return ids;
  }

  async endAll(): Promise<number> {
    this.#checkOpen();
    const ended = this.#rows.size;
    this.#rows.clear();
    this.#byUser.clear();
    return ended;
  }

  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    this.#checkOpen();
    const rows = [...this.#rows.values()].filter((row) => row.id > after && row.expires >= now);
    rows.sort((one, other) => (one.id < other.id ? -1 : 1));
    return rows.slice(0, limit).map((row) => ({ ...row }));
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
    return { live, expired: this.#rows.size - live, signedIn, users: users.slice(0, 10) };
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

  /** What has expired goes first (looked for once a second), then the longest idle. */
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

function touchedRow(row: SessionRow, now: number, { lifetime }: Touch): SessionRow {
  const updated = Math.max(row.updated, now);
  return { ...row, updated, expires: expiry(updated, row.idle, row.created, lifetime) };
}
