// Stores sessions in a SQLite file, which several processes on one machine may share.
// Change it when setting up, listing or purging should be done in another way; what requests need is in session-table.ts.

import type {
  Access,
  ChangeResult,
  FoundRow,
  SessionChange,
  SessionDriver,
  SessionInfo,
  SessionRow,
  StoreStats,
} from "../session/contract.ts";
import { Connection } from "./connection.ts";
import { check, setUp } from "./schema.ts";
import { INFO_COLUMNS, SessionTable, type StoredInfo, toInfo } from "./session-table.ts";
import type { StoreSettings } from "./settings.ts";

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 500;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new SqliteDriver(settings.file, timeout);
}

class SqliteDriver implements SessionDriver {
  readonly #sqlite: Connection;
  readonly #table: SessionTable;

  constructor(file: string, timeout: number) {
    this.#sqlite = new Connection(file, timeout, (database) => this.#table.defineFunctions(database));
    this.#table = new SessionTable(this.#sqlite);
  }

  async setup(): Promise<void> {
    await setUp(this.#sqlite);
    await this.check();
  }

  async check(): Promise<void> {
    await check(this.#sqlite, this.#table);
  }

  async create(row: SessionRow): Promise<void> {
    await this.#sqlite.run(() => this.#table.create(row));
  }

  read(id: string, access: Access): FoundRow | undefined | Promise<FoundRow | undefined> {
    return this.#sqlite.runNow(() => this.#table.read(id, access));
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    return await this.#sqlite.run(() => this.#table.change(id, change));
  }

  async end(id: string): Promise<boolean> {
    return await this.#sqlite.run(() => this.#table.end(id));
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    return await this.#sqlite.run(() => this.#table.listByUser(userid, now, limit));
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    return await this.#sqlite.run(() => this.#table.endByUser(userid, limit, exceptId));
  }

  async endAll(limit: number): Promise<number> {
    const sql = "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions LIMIT ?)";
    return await this.#sqlite.run(() => this.#sqlite.statement(sql).run(limit).changes);
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    const sql = `SELECT ${INFO_COLUMNS} FROM sessions WHERE id > ? AND expires >= ? ORDER BY id LIMIT ?`;
    let lastId = "";
    let rows: StoredInfo[];
    do {
      rows = await this.#sqlite.run(() => this.#sqlite.statement<StoredInfo>(sql).all(lastId, now, LISTED_AT_ONCE));
      lastId = rows.at(-1)?.id ?? lastId;
      yield rows.map(toInfo);
      // SQLite works in this process: without a turn of the event loop a long list would keep requests waiting.
      await new Promise(setImmediate);
    } while (rows.length === LISTED_AT_ONCE);
  }

  async stats(now: number): Promise<StoreStats> {
    const counts = `SELECT count(*) FILTER (WHERE expires >= ?) AS live, count(*) FILTER (WHERE expires < ?) AS expired,
      count(userid) FILTER (WHERE expires >= ?) AS signedIn FROM sessions`;
    const users = `SELECT userid, count(*) AS sessions FROM sessions WHERE userid IS NOT NULL AND expires >= ?
      GROUP BY userid ORDER BY sessions DESC, userid LIMIT 10`;
    return await this.#sqlite.run(() => ({
      ...(this.#sqlite.statement(counts).get(now, now, now) as Omit<StoreStats, "users">),
      users: this.#sqlite.statement<StoreStats["users"][number]>(users).all(now),
    }));
  }

  async purge(now: number, limit: number): Promise<number> {
    const sql = `DELETE FROM sessions WHERE rowid IN
      (SELECT rowid FROM sessions WHERE expires < ? ORDER BY expires LIMIT ?)`;
    return await this.#sqlite.run(() => this.#sqlite.statement(sql).run(now, limit).changes);
  }

  async ping(): Promise<void> {
    await this.#sqlite.run(() => this.#sqlite.statement("SELECT 1 FROM sessions LIMIT 1").get());
  }

  async close(): Promise<void> {
    this.#sqlite.close();
  }
}
