// Stores sessions in a table of MySQL or MariaDB: a change is one UPDATE, a look-up one SELECT by primary key.
// Change it when a session gets another column: here, in mysql-schema.ts, and in schema.sql.

import type { RowDataPacket } from "mysql2/promise";
import {
  type Access,
  type ChangeResult,
  type Page,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  UnreadableRow,
} from "../session/contract.ts";
import { MysqlPool, type Value } from "./pool.ts";
import { COLUMNS, check, PROPERTIES, setUp } from "./schema.ts";
import type { StoreSettings } from "./settings.ts";
import { decode, encode, padded, paths } from "./stored-data.ts";

const BATCH = 500;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new MysqlDriver(settings, timeout);
}

class MysqlDriver implements SessionDriver {
  readonly #settings: StoreSettings;
  readonly #pool: MysqlPool;
  /** Quoted; settings.ts lets only letters, digits and _ through. */
  readonly #table: string;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#pool = new MysqlPool(settings, timeout);
    this.#table = `\`${settings.table}\``;
  }

  async setup(): Promise<void> {
    await setUp(this.#pool, this.#settings.table);
  }

  async check(): Promise<void> {
    await check(this.#pool, this.#settings.table);
  }

  async create(row: SessionRow): Promise<void> {
    const data = Object.entries(JSON.parse(row.data) as object);
    const values: Record<keyof SessionRow, Value> = {
      ...row,
      id: bytes(row.id),
      secretHash: Buffer.from(row.secretHash),
      userid: row.userid === null ? null : bytes(row.userid),
      data: encode(data.map(([key, value]) => [key, JSON.stringify(value)])),
    };
    await this.#pool.write(
      `INSERT INTO ${this.#table} (${COLUMNS}) VALUES (${PROPERTIES.map(() => "?")})`,
      PROPERTIES.map((property) => values[property]),
    );
  }

  /** A touch is left to `change`: neither server can update and return a row in one statement. */
  async read(id: string, _access: Access): Promise<SessionRow | undefined> {
    const [row] = await this.#pool.read(`SELECT ${COLUMNS} FROM ${this.#table} WHERE id = ?`, [bytes(id)]);
    return row && fromColumns(row);
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { now, userid, secretHash, authenticated, idle, touch, ifVersion, ifSecretHash } = change;
    const set: string[] = [];
    const values: Value[] = [];
    const assign = (assignment: string, ...its: Value[]) => {
      set.push(assignment);
      values.push(...its);
    };
    // Assignments see what those to their left have made.
    if (touch) {
      assign(
        "expires = LEAST(GREATEST(updated, ?) + COALESCE(?, idle), created + ?)",
        now,
        idle ?? null,
        touch.lifetime,
      );
      assign("updated = GREATEST(updated, ?)", now);
    }
    if (idle !== undefined) assign("idle = ?", idle);
    if (userid !== undefined) assign("userid = ?", userid === null ? null : bytes(userid));
    if (secretHash) assign("secret_hash = ?", Buffer.from(secretHash));
    if (authenticated !== undefined) assign("authenticated = ?", authenticated);
    // MariaDB's JSON_MERGE_PATCH removes some wrong keys of several (seen in 10.11), so it only ever sets.
    const removed = paths(change.remove ?? []);
    let data = "data";
    if (removed.length > 0) data = `JSON_REMOVE(${data}${", ?".repeat(removed.length)})`;
    if (change.set?.size) data = `JSON_MERGE_PATCH(${data}, ?)`;
    if (data !== "data") assign(`data = ${data}`, ...removed, ...(change.set?.size ? [encode(change.set)] : []));
    assign("version = version + 1");

    // A patch would turn what is no object, an unreadable row, into an empty session.
    const live = "id = ? AND expires >= ? AND JSON_TYPE(data) = 'OBJECT'";
    const conditions = [live];
    values.push(bytes(id), now);
    if (ifVersion !== undefined) conditions.push("version = ?") && values.push(ifVersion);
    if (ifSecretHash) conditions.push("secret_hash = ?") && values.push(Buffer.from(ifSecretHash));

    const sql = `UPDATE ${this.#table} SET ${set.join(", ")} WHERE ${conditions.join(" AND ")}`;
    if ((await this.#pool.write(sql, values)) > 0) return "done";
    if (conditions.length === 1) return "gone";
    const left = await this.#pool.read(`SELECT 1 FROM ${this.#table} WHERE ${live}`, [bytes(id), now]);
    return left.length > 0 ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return (await this.#pool.write(`DELETE FROM ${this.#table} WHERE id = ?`, [bytes(id)])) > 0;
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM ${this.#table} WHERE userid = ? AND expires >= ? ORDER BY created DESC LIMIT ?`;
    return readable(await this.#pool.read(sql, [bytes(userid), now, limit]));
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    const ofUser = `SELECT id FROM ${this.#table} WHERE userid = ? ORDER BY id`;
    const ids = (await this.#pool.read(ofUser, [bytes(userid)])).map((row) => String(row.id));
    const ended: string[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH).filter((id) => id !== exceptId);
      if (batch.length === 0) continue;
      const values = padded(batch.map(bytes));
      const those = `id IN (?${", ?".repeat(values.length - 1)})`;
      const sql = `DELETE FROM ${this.#table} WHERE ${those} AND userid = ?`;
      const count = await this.#pool.write(sql, [...values, bytes(userid)]);
      // Some may have got another user or been ended meanwhile.
      const left =
        count < batch.length ? await this.#pool.read(`SELECT id FROM ${this.#table} WHERE ${those}`, values) : [];
      const spared = new Set(left.map((row) => String(row.id)));
      ended.push(...batch.filter((id) => !spared.has(id)));
    }
    return ended;
  }

  async endAll(): Promise<number> {
    for (let ended = 0; ; ) {
      const count = await this.#pool.write(`DELETE FROM ${this.#table} ORDER BY id LIMIT ?`, [BATCH]);
      ended += count;
      if (count < BATCH) return ended;
    }
  }

  async page({ now, after, limit }: Page): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM ${this.#table} WHERE id > ? AND expires >= ? ORDER BY id LIMIT ?`;
    for (let from = bytes(after ?? ""); ; ) {
      const rows = await this.#pool.read(sql, [from, now, limit]);
      const sessions = readable(rows);
      // A page of nothing but unreadable rows is not the end.
      if (sessions.length > 0 || rows.length < limit) return sessions;
      from = rows.at(-1)?.id as Buffer;
    }
  }

  async stats(now: number): Promise<StoreStats> {
    const counts = `SELECT COUNT(CASE WHEN expires >= ? THEN 1 END) AS live, COUNT(CASE WHEN expires < ? THEN 1 END) AS expired,
      COUNT(CASE WHEN expires >= ? THEN userid END) AS signedIn FROM ${this.#table}`;
    const [row] = await this.#pool.read(counts, [now, now, now]);
    const top = `SELECT userid, COUNT(*) AS sessions FROM ${this.#table} WHERE userid IS NOT NULL AND expires >= ?
      GROUP BY userid ORDER BY sessions DESC, userid LIMIT 10`;
    const users = await this.#pool.read(top, [now]);
    return {
      live: Number(row?.live),
      expired: Number(row?.expired),
      signedIn: Number(row?.signedIn),
      users: users.map(({ userid, sessions }) => ({ userid: String(userid), sessions: Number(sessions) })),
    };
  }

  async purge(now: number, limit: number): Promise<number> {
    return await this.#pool.write(`DELETE FROM ${this.#table} WHERE expires < ? ORDER BY expires, id LIMIT ?`, [
      now,
      limit,
    ]);
  }

  async ping(): Promise<void> {
    await this.#pool.read("SELECT 1");
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function readable(rows: RowDataPacket[]): SessionRow[] {
  return rows.flatMap((row) => {
    try {
      return [fromColumns(row)];
    } catch (error) {
      if (error instanceof UnreadableRow) return [];
      throw error;
    }
  });
}

function fromColumns(row: RowDataPacket): SessionRow {
  const id = String(row.id);
  return {
    id,
    secretHash: new Uint8Array(row.secret_hash),
    userid: row.userid === null ? null : String(row.userid),
    created: Number(row.created),
    updated: Number(row.updated),
    authenticated: Number(row.authenticated),
    idle: Number(row.idle),
    expires: Number(row.expires),
    ipaddress: row.ipaddress,
    useragent: row.useragent,
    data: decode(id, row.data),
    version: Number(row.version),
  };
}
