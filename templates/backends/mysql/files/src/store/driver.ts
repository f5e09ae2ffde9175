// Stores sessions in a table of MySQL or MariaDB. What requests need is in session-table.ts; this is what administration adds.
// Change it when setting up, listing or purging should be done in another way.

import type { RowDataPacket } from "mysql2/promise";
import type { SessionDriver, SessionInfo, StoreStats } from "../session/contract.ts";
import { bytes, MysqlPool } from "./pool.ts";
import { check, setUp } from "./schema.ts";
import { INFO_COLUMNS, type InfoColumns, SessionTable, toInfo } from "./session-table.ts";
import type { StoreSettings } from "./settings.ts";

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 500;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new MysqlDriver(new MysqlPool(settings, timeout), settings.table);
}

class MysqlDriver extends SessionTable implements SessionDriver {
  readonly #pool: MysqlPool;
  readonly #name: string;

  constructor(pool: MysqlPool, name: string) {
    // settings.ts lets only letters, digits and _ through.
    super(pool, `\`${name}\``);
    this.#pool = pool;
    this.#name = name;
  }

  async setup(): Promise<void> {
    await setUp(this.#pool, this.#name);
    await this.check();
  }

  async check(): Promise<void> {
    await check(this.#pool, this.#name);
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    const sql = `SELECT ${INFO_COLUMNS} FROM ${this.table} WHERE id > ? AND expires >= ? ORDER BY id LIMIT ?`;
    let lastId: Buffer = bytes("");
    let rows: InfoColumns[];
    do {
      rows = await this.queries.read(sql, [lastId, now, LISTED_AT_ONCE]);
      lastId = rows.at(-1)?.id ?? lastId;
      yield rows.map(toInfo);
    } while (rows.length === LISTED_AT_ONCE);
  }

  async endAll(limit: number): Promise<number> {
    return await this.queries.write(`DELETE FROM ${this.table} ORDER BY id LIMIT ?`, [limit]);
  }

  async stats(now: number): Promise<StoreStats> {
    const counts = `SELECT COUNT(CASE WHEN expires >= ? THEN 1 END) AS live, COUNT(CASE WHEN expires < ? THEN 1 END) AS expired,
      COUNT(CASE WHEN expires >= ? THEN userid END) AS signedIn FROM ${this.table}`;
    const [row] = await this.queries.read<RowDataPacket & Omit<StoreStats, "users">>(counts, [now, now, now]);
    const top = `SELECT userid, COUNT(*) AS sessions FROM ${this.table} WHERE userid IS NOT NULL AND expires >= ?
      GROUP BY userid ORDER BY sessions DESC, userid LIMIT 10`;
    const users = await this.queries.read(top, [now]);
    return {
      live: row?.live ?? 0,
      expired: row?.expired ?? 0,
      signedIn: row?.signedIn ?? 0,
      users: users.map(({ userid, sessions }) => ({ userid: String(userid), sessions })),
    };
  }

  async purge(now: number, limit: number): Promise<number> {
    const sql = `DELETE FROM ${this.table} WHERE expires < ? ORDER BY expires, id LIMIT ?`;
    return await this.queries.write(sql, [now, limit]);
  }

  /** Reads the table, since a server that has lost it serves nobody. */
  async ping(): Promise<void> {
    await this.queries.read(`SELECT 1 FROM ${this.table} LIMIT 1`);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
