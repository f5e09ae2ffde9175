// Stores sessions in a PostgreSQL table. What requests need is in session-table.ts; this is what administration adds.
// Change it when setting up, listing or purging should be done in another way.

import type { SessionDriver, SessionInfo, StoreLimits, StoreStats } from "../session/contract.ts";
import { HEAVY_LOAD, Postgres } from "./connection.ts";
import { check, quotedName, setUp } from "./schema.ts";
import { LISTED, SessionTable, type StoredInfo, toInfo } from "./session-table.ts";
import type { StoreSettings } from "./settings.ts";

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 500;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new PostgresDriver(new Postgres(settings, timeout), settings.table);
}

class PostgresDriver extends SessionTable implements SessionDriver {
  readonly limits: StoreLimits = {
    text: {
      pattern: /[\0\p{Surrogate}]/u,
      reason: "PostgreSQL holds neither NUL characters nor halves of surrogate pairs",
    },
  };
  readonly #postgres: Postgres;
  readonly #name: string;

  constructor(postgres: Postgres, name: string) {
    super(postgres, quotedName(name));
    this.#postgres = postgres;
    this.#name = name;
  }

  async setup(): Promise<void> {
    await setUp(this.#postgres, this.#name);
    await this.check();
  }

  async check(): Promise<void> {
    await check(this.#postgres, this.#name);
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    const sql = `SELECT ${LISTED} FROM ${this.table} s WHERE s.id > $1 AND s.expires >= $2 ORDER BY s.id LIMIT $3`;
    let lastId = "";
    let rows: StoredInfo[];
    do {
      ({ rows } = await this.queries.query<StoredInfo>(sql, [lastId, now, LISTED_AT_ONCE], HEAVY_LOAD));
      lastId = rows.at(-1)?.id ?? lastId;
      yield rows.map(toInfo);
    } while (rows.length === LISTED_AT_ONCE);
  }

  async endAll(limit: number): Promise<number> {
    const sql = `DELETE FROM ${this.table} WHERE id = ANY (ARRAY(SELECT id FROM ${this.table} LIMIT $1 FOR UPDATE))`;
    return (await this.queries.query(sql, [limit], HEAVY_LOAD)).count;
  }

  async stats(now: number): Promise<StoreStats> {
    const counts = `SELECT count(*) FILTER (WHERE expires >= $1) AS live, count(*) FILTER (WHERE expires < $1) AS expired,
      count(userid) FILTER (WHERE expires >= $1) AS "signedIn" FROM ${this.table}`;
    const users = `SELECT userid, count(*) AS sessions FROM ${this.table} WHERE userid IS NOT NULL AND expires >= $1
      GROUP BY userid ORDER BY sessions DESC, userid LIMIT 10`;
    const { rows } = await this.queries.query<Omit<StoreStats, "users">>(counts, [now], HEAVY_LOAD);
    const most = await this.queries.query<StoreStats["users"][number]>(users, [now], HEAVY_LOAD);
    const [counted = { live: 0, expired: 0, signedIn: 0 }] = rows;
    return { ...counted, users: most.rows };
  }

  /** Several processes may purge at once. A row that is touched meanwhile is spared. */
  async purge(now: number, limit: number): Promise<number> {
    const sql = `DELETE FROM ${this.table} WHERE id = ANY (ARRAY(
      SELECT id FROM ${this.table} WHERE expires_slot <= $1::bigint / 600 AND expires < $1
      ORDER BY expires_slot LIMIT $2 FOR UPDATE SKIP LOCKED))`;
    return (await this.queries.query(sql, [now, limit], HEAVY_LOAD)).count;
  }

  /** Reads the table, since a server that has lost it serves nobody. */
  async ping(): Promise<void> {
    await this.queries.query(`SELECT 1 FROM ${this.table} LIMIT 1`, []);
  }

  async close(): Promise<void> {
    await this.#postgres.close();
  }
}
