// Stores sessions in a PostgreSQL table: every operation is one prepared statement, one round trip.
// Change it when a session gets another column: here, in COLUMN_OF, and in schema.sql.

import { readFileSync } from "node:fs";
import {
  type Access,
  type ChangeResult,
  type FoundRow,
  joinData,
  type Page,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreLimits,
  type StoreStats,
  type Touch,
  touchInterval,
  UnreadableRow,
} from "../session/contract.ts";
import { HEAVY, Postgres } from "./connection.ts";
import type { StoreSettings } from "./settings.ts";

/** PostgreSQL's numbers of types. */
const [TEXT, BYTEA, BIGINT, JSONB] = [25, 17, 20, 3802] as const;

const COLUMN_OF: Record<keyof SessionRow, [name: string, type: number]> = {
  id: ["id", TEXT],
  secretHash: ["secret_hash", BYTEA],
  userid: ["userid", TEXT],
  created: ["created", BIGINT],
  updated: ["updated", BIGINT],
  authenticated: ["authenticated", BIGINT],
  idle: ["idle", BIGINT],
  expires: ["expires", BIGINT],
  ipaddress: ["ipaddress", TEXT],
  useragent: ["useragent", TEXT],
  data: ["data", JSONB],
  version: ["version", BIGINT],
};
const PROPERTIES = Object.keys(COLUMN_OF) as (keyof SessionRow)[];
const NAMES = PROPERTIES.map((property) => COLUMN_OF[property][0]);
const COLUMNS = PROPERTIES.map((property, index) => `s.${NAMES[index]} AS "${property}"`).join();

/** Entries of `#dueFrom` at most. */
const REMEMBERED = 10_000;

/** Sessions that one statement of endAll ends, within the time limit. */
const BATCH = 5000;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new PostgresDriver(settings, timeout);
}

class PostgresDriver implements SessionDriver {
  readonly limits: StoreLimits = {
    text: {
      pattern: /[\0\p{Surrogate}]/u,
      reason: "PostgreSQL holds neither NUL characters nor halves of surrogate pairs",
    },
  };
  readonly #postgres: Postgres;
  /** When touches may be due: until then a plain SELECT does, at half the cost for the server. */
  readonly #dueFrom = new Map<string, number>();
  readonly #name: string;
  /** As it is written in SQL. */
  readonly #table: string;

  constructor(settings: StoreSettings, timeout: number) {
    this.#postgres = new Postgres(settings, timeout);
    this.#name = settings.table;
    this.#table = quoted(settings.table);
  }

  /** Where nothing is missing, no permission to create is needed. */
  async setup(): Promise<void> {
    if ((await this.#fault()) === undefined) return;
    const schema = readFileSync(new URL("../../schema.sql", import.meta.url), "utf8");
    const [bare = ""] = this.#name.split(".").slice(-1);
    // In one pass: sessions_of_app must not be renamed twice.
    const named = schema.replaceAll(/"sessions(_\w+)?"/g, (_, suffix?: string) =>
      suffix ? quoted(bare + suffix) : this.#table,
    );
    // One at a time: CREATE … IF NOT EXISTS fails when two do it at once. The number means nothing.
    await this.#postgres.run(`SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7305478105938452321); ${named}`);
    await this.check();
  }

  async check(): Promise<void> {
    const fault = await this.#fault();
    if (fault !== undefined) throw new Error(fault);
  }

  async #fault(): Promise<string | undefined> {
    const about = `SESSION_TABLE ${this.#name}`;
    try {
      const { fields } = await this.#postgres.run(`SELECT ${COLUMNS}, s.expires_slot FROM ${this.#table} s LIMIT 0`);
      const wrong = fields.find(
        ({ dataTypeID }, index) => dataTypeID !== (Object.values(COLUMN_OF)[index]?.[1] ?? BIGINT),
      );
      if (wrong) return `${about}: the column of ${wrong.name} has another type than in schema.sql.`;
    } catch (error) {
      const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
      if (code === "42P01") return `${about} isn't there. \`npm run sessions -- setup\` creates it.`;
      if (code === "42703") return `${about} isn't as in schema.sql: ${message}.`;
      throw error;
    }
    const { rows } = await this.#postgres.run(`SELECT
      (SELECT string_agg(name, ', ') FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) AS name
        WHERE NOT has_table_privilege('${this.#table}', name)) AS forbidden,
      (SELECT string_agg(name, ', ') FROM unnest(ARRAY['userid', 'expires_slot']) AS name WHERE NOT EXISTS (
        SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = '${this.#table}'::regclass AND i.indisvalid AND a.attname = name)) AS slow`);
    const { forbidden, slow } = rows[0] as { forbidden: string | null; slow: string | null };
    if (slow !== null) return `${about} has no index on ${slow}. \`npm run sessions -- setup\` creates it.`;
    return forbidden === null ? undefined : `${about}: the database user has no right to ${forbidden}.`;
  }

  async create(row: SessionRow): Promise<void> {
    const sql = `INSERT INTO ${this.#table} (${NAMES}) VALUES (${NAMES.map((_, index) => `$${index + 1}`)})`;
    await this.#postgres.query(
      sql,
      PROPERTIES.map((property) => row[property]),
    );
  }

  async read(id: string, { now, touch }: Access): Promise<FoundRow | undefined> {
    const mayBeDue = touch !== undefined && now >= (this.#dueFrom.get(id) ?? 0);
    const row = await (mayBeDue ? this.#readAndTouch(id, now, touch) : this.#read(id));
    if (row === undefined) return undefined;
    if (!isReadable(row)) throw new UnreadableRow(`The row of session ${id} can't be understood.`);
    if (mayBeDue) {
      if (this.#dueFrom.size >= REMEMBERED) this.#dueFrom.clear();
      this.#dueFrom.set(id, row.updated + touchInterval(touch.every, row.idle));
    }
    return row;
  }

  async #read(id: string): Promise<FoundRow | undefined> {
    const sql = `SELECT ${COLUMNS} FROM ${this.#table} s WHERE s.id = $1`;
    return (await this.#postgres.query<SessionRow>(sql, [id])).rows[0];
  }

  /** The UPDATE finds nothing unless a touch is due. Its columns replace those of the same name. */
  async #readAndTouch(id: string, now: number, touch: Touch & { every: number; secretHash: Uint8Array }) {
    const sql = `WITH touched AS (
        UPDATE ${this.#table} SET updated = $2, expires = least($2 + idle, created + $3)
        WHERE id = $1 AND expires >= $2 AND $2 - updated >= greatest(1, least($4, idle / 10)) AND secret_hash = $5
        RETURNING updated, expires)
      SELECT ${COLUMNS}, coalesce(t.updated, s.updated) AS updated, coalesce(t.expires, s.expires) AS expires,
        t.updated IS NOT NULL AS touched
      FROM ${this.#table} s LEFT JOIN touched t ON true WHERE s.id = $1`;
    const values = [id, now, touch.lifetime, touch.every, touch.secretHash];
    return (await this.#postgres.query<FoundRow>(sql, values)).rows[0];
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const values: unknown[] = [];
    const value = (given: unknown) => `$${values.push(given)}`;
    const [where, now] = [`id = ${value(id)}`, value(change.now)];

    const assignments = ["version = version + 1"];
    if (change.set?.size || change.remove?.length) {
      let data = "data";
      if (change.remove?.length) data = `(data - ${value(change.remove)}::text[])`;
      if (change.set?.size) data += ` || ${value(joinData(change.set))}::jsonb`;
      assignments.push(`data = ${data}`);
    }
    if (change.userid !== undefined) assignments.push(`userid = ${value(change.userid)}`);
    if (change.secretHash !== undefined) assignments.push(`secret_hash = ${value(change.secretHash)}`);
    if (change.authenticated !== undefined) assignments.push(`authenticated = ${value(change.authenticated)}`);
    const idle = change.idle === undefined ? "idle" : `${value(change.idle)}::bigint`;
    if (change.idle !== undefined) assignments.push(`idle = ${idle}`);
    if (change.touch) {
      const updated = `greatest(updated, ${now})`;
      const expires = `least(${updated} + ${idle}, created + ${value(change.touch.lifetime)})`;
      assignments.push(`updated = ${updated}`, `expires = ${expires}`);
    }
    const conditions = [where, `expires >= ${now}`];
    if (change.ifVersion !== undefined) conditions.push(`version = ${value(change.ifVersion)}`);
    if (change.ifSecretHash !== undefined) conditions.push(`secret_hash = ${value(change.ifSecretHash)}`);

    const sql = `UPDATE ${this.#table} SET ${assignments.join(", ")} WHERE ${conditions.join(" AND ")}`;
    const { count } = await this.#postgres.query(sql, values);
    if (count === 1) return "done";
    if (conditions.length === 2) return "gone";
    const live = `SELECT 1 FROM ${this.#table} WHERE id = $1 AND expires >= $2`;
    return (await this.#postgres.query(live, [id, change.now])).count === 1 ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return (await this.#postgres.query(`DELETE FROM ${this.#table} WHERE id = $1`, [id])).count === 1;
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM ${this.#table} s WHERE s.userid = $1 AND s.expires >= $2
      ORDER BY s.created DESC LIMIT $3`;
    return (await this.#postgres.query<SessionRow>(sql, [userid, now, limit])).rows.filter(isReadable);
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    const sql = `DELETE FROM ${this.#table} WHERE userid = $1 AND id IS DISTINCT FROM $2 RETURNING id`;
    const { rows } = await this.#postgres.query<{ id: string }>(sql, [userid, exceptId], HEAVY);
    return rows.map(({ id }) => id);
  }

  async endAll(): Promise<number> {
    const sql = `DELETE FROM ${this.#table} WHERE id = ANY (ARRAY(SELECT id FROM ${this.#table} LIMIT $1))`;
    for (let ended = 0; ; ) {
      const { count } = await this.#postgres.query(sql, [BATCH], HEAVY);
      ended += count;
      if (count < BATCH) return ended;
    }
  }

  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM ${this.#table} s WHERE s.id > $1 AND s.expires >= $2 ORDER BY s.id LIMIT $3`;
    for (let from = after; ; ) {
      const { rows } = await this.#postgres.query<SessionRow>(sql, [from, now, limit], HEAVY);
      const sessions = rows.filter(isReadable);
      // A page of nothing but unreadable rows is not the end.
      if (sessions.length > 0 || rows.length < limit) return sessions;
      from = rows.at(-1)?.id ?? from;
    }
  }

  async stats(now: number): Promise<StoreStats> {
    const counts = `SELECT count(*) FILTER (WHERE expires >= $1) AS live, count(*) FILTER (WHERE expires < $1) AS expired,
      count(userid) FILTER (WHERE expires >= $1) AS "signedIn" FROM ${this.#table}`;
    const users = `SELECT userid, count(*) AS sessions FROM ${this.#table} WHERE userid IS NOT NULL AND expires >= $1
      GROUP BY userid ORDER BY sessions DESC, userid LIMIT 10`;
    const { rows } = await this.#postgres.query<Omit<StoreStats, "users">>(counts, [now], HEAVY);
    const most = await this.#postgres.query<StoreStats["users"][number]>(users, [now], HEAVY);
    return { live: 0, expired: 0, signedIn: 0, ...rows[0], users: most.rows };
  }

  /** Several may purge at once. A row that was touched meanwhile is spared. */
  async purge(now: number, limit: number): Promise<number> {
    const sql = `DELETE FROM ${this.#table} WHERE id = ANY (ARRAY(
      SELECT id FROM ${this.#table} WHERE expires_slot <= $1::bigint / 600 AND expires < $1
      ORDER BY expires_slot LIMIT $2 FOR UPDATE SKIP LOCKED))`;
    return (await this.#postgres.query(sql, [now, limit], HEAVY)).count;
  }

  async ping(): Promise<void> {
    await this.#postgres.query("SELECT 1", []);
  }

  async close(): Promise<void> {
    await this.#postgres.close();
  }
}

function isReadable(row: SessionRow): boolean {
  return row.secretHash.length === 32 && row.data.startsWith("{");
}

/** settings.ts lets nothing through that could end the quotation. */
function quoted(name: string): string {
  return name
    .split(".")
    .map((part) => `"${part}"`)
    .join(".");
}
