// Stores sessions in a SQLite file, which several processes on one machine may share.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import { readFileSync } from "node:fs";
import {
  type Access,
  type ChangeResult,
  type FoundRow,
  patchData,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  type Touch,
  touchInterval,
  UnreadableRow,
} from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import { Connection, isDuplicate, isLocked } from "./connection.ts";
import type { StoreSettings } from "./settings.ts";

type ColumnValue = string | number | null;

/** A row as the table has it, without the columns that lists don't need. */
interface StoredInfo {
  id: string;
  userid: string | null;
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  expires: number;
  ipaddress: string;
  useragent: string;
  [ownColumn: string]: ColumnValue | Uint8Array;
}

interface StoredRow extends StoredInfo {
  secret_hash: Uint8Array;
  data: string;
  version: number;
}

const OWN_COLUMNS = Object.keys(initialColumns);
const INFO_COLUMNS = [
  "id",
  "userid",
  "created",
  "updated",
  "authenticated",
  "idle",
  "expires",
  "ipaddress",
  "useragent",
  ...OWN_COLUMNS.map(quoted),
].join(", ");
const ALL_COLUMNS = `secret_hash, data, version, ${INFO_COLUMNS}`;

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 500;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new SqliteDriver(settings.file, timeout);
}

class SqliteDriver implements SessionDriver {
  readonly #sqlite: Connection;
  /** What the SQL function `patched` applies, so that a change is one statement, atomic across processes. */
  #patch: Pick<SessionChange, "set" | "remove"> = {};

  constructor(file: string, timeout: number) {
    this.#sqlite = new Connection(file, timeout, (database) => {
      database.function("patched", { directOnly: true }, (data: string) => patched(data, this.#patch));
    });
  }

  async setup(): Promise<void> {
    const schema = readFileSync(new URL("../../schema.sql", import.meta.url), "utf8");
    this.#sqlite.create();
    await this.#sqlite.run((database) => {
      database.pragma("journal_mode = WAL");
      database.transaction(() => database.exec(schema)).immediate();
    });
    await this.check();
  }

  async check(): Promise<void> {
    const { file } = this.#sqlite;
    await this.#sqlite.run((database) => {
      const mode = database.pragma("journal_mode", { simple: true });
      if (mode !== "wal" && mode !== "memory") {
        throw new Error(
          `SQLITE_FILE ${file} isn't in WAL mode. That needs a local disk; see \`npm run sessions -- setup\`.`,
        );
      }
      const strict = database.prepare("SELECT strict FROM pragma_table_list WHERE name = 'sessions'").pluck().get();
      try {
        database.prepare(`SELECT ${ALL_COLUMNS} FROM sessions`);
      } catch (cause) {
        throw new Error(`SQLITE_FILE ${file} lacks part of schema.sql (${(cause as Error).message}).`, { cause });
      }
      if (strict !== 1) {
        throw new Error(`SQLITE_FILE ${file} has a table "sessions" that isn't STRICT, as in schema.sql.`);
      }
    });
  }

  async create(row: SessionRow): Promise<void> {
    const own: Record<string, ColumnValue> = { ...row.columns };
    const values = [
      ...[row.secretHash, row.data, row.version],
      ...[row.id, row.userid, row.created, row.updated, row.authenticated, row.idle, row.expires],
      ...[row.ipaddress, row.useragent],
      ...OWN_COLUMNS.map((name) => own[name]),
    ];
    const sql = `INSERT INTO sessions (${ALL_COLUMNS}) VALUES (${values.map(() => "?").join(", ")})`;
    try {
      await this.#sqlite.run(() => this.#sqlite.statement(sql).run(values));
    } catch (error) {
      if (isDuplicate(error)) throw new Error(`There is a session ${row.id} already.`, { cause: error });
      throw error;
    }
  }

  read(id: string, { now, touch }: Access): FoundRow | undefined | Promise<FoundRow | undefined> {
    return this.#sqlite.runNow(() => {
      const stored = this.#sqlite.statement<StoredRow>(`SELECT ${ALL_COLUMNS} FROM sessions WHERE id = ?`).get(id);
      if (stored === undefined) return undefined;
      const row = toRow(stored);
      const isDue = touch !== undefined && now - row.updated >= touchInterval(touch.every, row.idle);
      return isDue && row.expires >= now ? this.#touch(row, now, touch) : row;
    });
  }

  /** Returns the row as it was if the secret is another one or the file is locked. */
  #touch(row: SessionRow, now: number, touch: Touch & { secretHash: Uint8Array }): FoundRow {
    const sql = `UPDATE sessions SET updated = max(updated, ?), expires = min(max(updated, ?) + idle, created + ?)
      WHERE id = ? AND expires >= ? AND secret_hash = ? RETURNING updated, expires`;
    try {
      const statement = this.#sqlite.statement<Pick<SessionRow, "updated" | "expires">>(sql);
      const moved = statement.get(now, now, touch.lifetime, row.id, now, touch.secretHash);
      return moved === undefined ? row : { ...row, ...moved, touched: true };
    } catch (error) {
      if (isLocked(error)) return row;
      throw error;
    }
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { now, touch, ifVersion, ifSecretHash } = change;
    const assignments = ["version = version + 1"];
    const values: unknown[] = [];
    const assign = (assignment: string, ...given: unknown[]) => {
      assignments.push(assignment);
      values.push(...given);
    };
    if (change.set?.size || change.remove?.length) assign("data = patched(data)");
    if (change.userid !== undefined) assign("userid = ?", change.userid);
    if (change.secretHash !== undefined) assign("secret_hash = ?", change.secretHash);
    if (change.authenticated !== undefined) assign("authenticated = ?", change.authenticated);
    if (change.idle !== undefined) assign("idle = ?", change.idle);
    const own: Record<string, ColumnValue | undefined> = { ...change.columns };
    for (const name of OWN_COLUMNS) {
      if (own[name] !== undefined) assign(`${quoted(name)} = ?`, own[name]);
    }
    if (touch) {
      assign("updated = max(updated, ?)", now);
      assign("expires = min(max(updated, ?) + coalesce(?, idle), created + ?)", now, change.idle, touch.lifetime);
    }
    const conditions = ["id = ?", "expires >= ?"];
    values.push(id, now);
    const isConditional = ifVersion !== undefined || ifSecretHash !== undefined;
    if (ifVersion !== undefined) {
      conditions.push("version = ?");
      values.push(ifVersion);
    }
    if (ifSecretHash !== undefined) {
      conditions.push("secret_hash = ?");
      values.push(ifSecretHash);
    }
    const sql = `UPDATE sessions SET ${assignments.join(", ")} WHERE ${conditions.join(" AND ")}`;

    return await this.#sqlite.run(() => {
      this.#patch = change;
      if (this.#sqlite.statement(sql).run(values).changes === 1) return "done";
      if (!isConditional) return "gone";
      const live = this.#sqlite.statement("SELECT 1 FROM sessions WHERE id = ? AND expires >= ?").get(id, now);
      return live === undefined ? "gone" : "conflict";
    });
  }

  async end(id: string): Promise<boolean> {
    const sql = "DELETE FROM sessions WHERE id = ?";
    return await this.#sqlite.run(() => this.#sqlite.statement(sql).run(id).changes === 1);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const sql = `SELECT ${INFO_COLUMNS} FROM sessions WHERE userid = ? AND expires >= ? ORDER BY created DESC LIMIT ?`;
    const rows = await this.#sqlite.run(() => this.#sqlite.statement<StoredInfo>(sql).all(userid, now, limit));
    return rows.map(toInfo);
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    const sql = `DELETE FROM sessions WHERE rowid IN
      (SELECT rowid FROM sessions WHERE userid = ? AND id IS NOT ? LIMIT ?) RETURNING id`;
    const ended = await this.#sqlite.run(() =>
      this.#sqlite.statement<{ id: string }>(sql).all(userid, exceptId, limit),
    );
    return ended.map(({ id }) => id);
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
    await this.#sqlite.run(() => this.#sqlite.statement("SELECT count(*) FROM sqlite_schema").get());
  }

  async close(): Promise<void> {
    this.#sqlite.close();
  }
}

function toInfo(stored: StoredInfo): SessionInfo {
  const { id, userid, created, updated, authenticated, idle, expires, ipaddress, useragent } = stored;
  const columns = Object.fromEntries(OWN_COLUMNS.map((name) => [name, stored[name]])) as unknown as SessionColumns;
  return { id, userid, created, updated, authenticated, idle, expires, ipaddress, useragent, columns };
}

function toRow(stored: StoredRow): SessionRow {
  return { ...toInfo(stored), secretHash: stored.secret_hash, data: stored.data, version: stored.version };
}

function quoted(name: string): string {
  return `"${name}"`;
}

function patched(data: string, patch: Pick<SessionChange, "set" | "remove">): string {
  try {
    return patchData(data, patch);
  } catch (cause) {
    throw new UnreadableRow("The data of a session is not a JSON object.", { cause });
  }
}
