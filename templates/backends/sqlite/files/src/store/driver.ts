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

/** Rows that `stats` counts before requests get their turn. */
const COUNTED_AT_ONCE = 5000;
const TOP_USERS = 10;

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
    return this.#sqlite.readNow(() => this.#table.read(id, access));
  }

  change(id: string, change: SessionChange): ChangeResult | Promise<ChangeResult> {
    return this.#sqlite.runNow(() => this.#table.change(id, change));
  }

  async end(id: string): Promise<boolean> {
    return await this.#sqlite.run(() => this.#table.end(id));
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    return await this.#sqlite.run(() => this.#table.listByUser(userid, now, limit));
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    const ended = await this.#sqlite.run(() => this.#table.endByUser(userid, limit, exceptId));
    if (ended.length === limit) await this.#sqlite.checkpoint();
    return ended;
  }

  async endAll(limit: number): Promise<number> {
    const sql = "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions LIMIT ?)";
    return await this.#remove(sql, [], limit);
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
    return { ...(await this.#counts(now)), users: await this.#topUsers(now) };
  }

  async purge(now: number, limit: number): Promise<number> {
    const sql = `DELETE FROM sessions WHERE rowid IN
      (SELECT rowid FROM sessions WHERE expires < ? ORDER BY expires LIMIT ?)`;
    return await this.#remove(sql, [now], limit);
  }

  async ping(): Promise<void> {
    await this.#sqlite.run(() => this.#sqlite.statement("SELECT 1 FROM sessions LIMIT 1").get());
  }

  async close(): Promise<void> {
    await this.#sqlite.close();
  }

  async #remove(sql: string, values: number[], limit: number): Promise<number> {
    const { changes } = await this.#sqlite.run(() => this.#sqlite.statement(sql).run(...values, limit));
    if (changes === limit) await this.#sqlite.checkpoint();
    return changes;
  }

  async #counts(now: number): Promise<Omit<StoreStats, "users">> {
    const sql = `SELECT max(rowid) AS last, count(*) FILTER (WHERE expires >= ?) AS live,
      count(*) FILTER (WHERE expires < ?) AS expired, count(userid) FILTER (WHERE expires >= ?) AS signedIn
      FROM (SELECT rowid, userid, expires FROM sessions WHERE rowid > ? ORDER BY rowid LIMIT ?)`;
    type Counted = Omit<StoreStats, "users"> & { last: number | null };
    const total = { live: 0, expired: 0, signedIn: 0 };
    let last: number | null = 0;
    while (last !== null) {
      const values: number[] = [now, now, now, last, COUNTED_AT_ONCE];
      const counted: Counted = await this.#sqlite.run(
        () => this.#sqlite.statement<Counted>(sql).get(...values) as Counted,
      );
      total.live += counted.live;
      total.expired += counted.expired;
      total.signedIn += counted.signedIn;
      last = counted.last;
      await new Promise(setImmediate);
    }
    return total;
  }

  async #topUsers(now: number): Promise<StoreStats["users"]> {
    // In the order of the index, so that a user's sessions come one after the other, and a batch goes on where the last one ended.
    const sql = `SELECT userid, created, rowid AS place, expires >= ? AS live FROM sessions
      WHERE userid >= ? AND (userid > ? OR created < ? OR (created = ? AND rowid > ?))
      ORDER BY userid, created DESC, rowid LIMIT ?`;
    type Row = { userid: string; created: number; place: number; live: number };
    let top: StoreStats["users"] = [];
    let user = { userid: "", sessions: 0 };
    let last = { created: 0, place: 0 };
    let rows: Row[];
    do {
      const { userid } = user;
      const values = [now, userid, userid, last.created, last.created, last.place, COUNTED_AT_ONCE];
      rows = await this.#sqlite.run(() => this.#sqlite.statement<Row>(sql).all(...values));
      for (const row of rows) {
        if (row.userid !== user.userid) {
          top.push(user);
          user = { userid: row.userid, sessions: 0 };
        }
        user.sessions += row.live;
      }
      last = rows.at(-1) ?? last;
      top = mostSessions(top);
      await new Promise(setImmediate);
    } while (rows.length === COUNTED_AT_ONCE);
    return mostSessions([...top, user]);
  }
}

/** Sorting keeps the order of users who have equally many. */
function mostSessions(users: StoreStats["users"]): StoreStats["users"] {
  const live = users.filter(({ sessions }) => sessions > 0);
  return live.sort((one, other) => other.sessions - one.sessions).slice(0, TOP_USERS);
}
