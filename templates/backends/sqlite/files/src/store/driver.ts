// Stores sessions in a SQLite file, which several processes on one machine may share.
// Change it when a session gets another column: here, in COLUMN_OF, and in schema.sql.

import { readFileSync } from "node:fs";
import {
  type Access,
  type ChangeResult,
  type FoundRow,
  type Page,
  patchData,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  type Touch,
  touchInterval,
  UnreadableRow,
} from "../session/contract.ts";
import { Connection, isLocked } from "./connection.ts";
import type { StoreSettings } from "./settings.ts";

const COLUMN_OF: Record<keyof SessionRow, string> = {
  id: "id",
  secretHash: "secret_hash",
  userid: "userid",
  created: "created",
  updated: "updated",
  authenticated: "authenticated",
  idle: "idle",
  expires: "expires",
  ipaddress: "ipaddress",
  useragent: "useragent",
  data: "data",
  version: "version",
};
const COLUMNS = Object.entries(COLUMN_OF)
  .map(([property, column]) => `${column} AS ${property}`)
  .join();
const INSERT = `INSERT INTO sessions (${Object.values(COLUMN_OF)})
  VALUES (${Object.keys(COLUMN_OF).map((property) => `@${property}`)})`;

/** Sessions that one statement of endAll ends, so that others have their turn in between. */
const BATCH = 1000;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new SqliteDriver(settings.file, timeout);
}

class SqliteDriver implements SessionDriver {
  readonly #sqlite: Connection;
  /** For the SQL function `patched`: a change is one statement, atomic across processes. */
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
        database.prepare(`SELECT ${COLUMNS} FROM sessions`);
      } catch (cause) {
        throw new Error(`SQLITE_FILE ${file} lacks part of schema.sql (${(cause as Error).message}).`, { cause });
      }
      if (strict !== 1)
        throw new Error(`SQLITE_FILE ${file} has a table "sessions" that isn't STRICT, as in schema.sql.`);
    });
  }

  async create(row: SessionRow): Promise<void> {
    await this.#sqlite.run(() => this.#sqlite.statement(INSERT).run(row));
  }

  read(id: string, { now, touch }: Access): FoundRow | undefined | Promise<FoundRow | undefined> {
    return this.#sqlite.runNow(() => {
      const row = this.#sqlite.statement<SessionRow>(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`).get(id);
      if (row === undefined) return undefined;
      if (!isReadable(row)) throw new UnreadableRow(`The row of session ${id} can't be understood.`);
      if (touch && row.expires >= now && now - row.updated >= touchInterval(touch.every, row.idle)) {
        this.#touch(row, now, touch);
      }
      return row;
    });
  }

  /** Leaves the row as it was if the secret is another one or the file is locked. */
  #touch(row: FoundRow, now: number, touch: Touch & { secretHash: Uint8Array }): void {
    const sql = `UPDATE sessions SET updated = max(updated, ?), expires = min(max(updated, ?) + idle, created + ?)
      WHERE id = ? AND expires >= ? AND secret_hash = ? RETURNING updated, expires`;
    try {
      const statement = this.#sqlite.statement<Pick<SessionRow, "updated" | "expires">>(sql);
      const moved = statement.get(now, now, touch.lifetime, row.id, now, touch.secretHash);
      if (moved !== undefined) Object.assign(row, moved, { touched: true });
    } catch (error) {
      if (!isLocked(error)) throw error;
    }
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { now, touch, ifVersion, ifSecretHash } = change;
    const assignments = ["version = version + 1"];
    const conditions = ["id = ?", "expires >= ?"];
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
    if (touch) {
      assign("updated = max(updated, ?)", now);
      assign("expires = min(max(updated, ?) + coalesce(?, idle), created + ?)", now, change.idle, touch.lifetime);
    }
    values.push(id, now);
    if (ifVersion !== undefined) conditions.push("version = ?") && values.push(ifVersion);
    if (ifSecretHash !== undefined) conditions.push("secret_hash = ?") && values.push(ifSecretHash);

    return await this.#sqlite.run(() => {
      this.#patch = change;
      const sql = `UPDATE sessions SET ${assignments.join()} WHERE ${conditions.join(" AND ")}`;
      if (this.#sqlite.statement(sql).run(...values).changes === 1) return "done";
      if (conditions.length === 2) return "gone";
      const live = this.#sqlite.statement("SELECT 1 FROM sessions WHERE id = ? AND expires >= ?").get(id, now);
      return live === undefined ? "gone" : "conflict";
    });
  }

  async end(id: string): Promise<boolean> {
    const sql = "DELETE FROM sessions WHERE id = ?";
    return await this.#sqlite.run(() => this.#sqlite.statement(sql).run(id).changes === 1);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM sessions WHERE userid = ? AND expires >= ? ORDER BY created DESC LIMIT ?`;
    return await this.#sqlite.run(() =>
      this.#sqlite.statement<SessionRow>(sql).all(userid, now, limit).filter(isReadable),
    );
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    const sql = "DELETE FROM sessions WHERE userid = ? AND id IS NOT ? RETURNING id";
    const ended = await this.#sqlite.run(() => this.#sqlite.statement<{ id: string }>(sql).all(userid, exceptId));
    return ended.map(({ id }) => id);
  }

  async endAll(): Promise<number> {
    const sql = "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions LIMIT ?)";
    for (let ended = 0; ; ) {
      const count = await this.#sqlite.run(() => this.#sqlite.statement(sql).run(BATCH).changes);
      ended += count;
      if (count < BATCH) return ended;
      await new Promise(setImmediate);
    }
  }

  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    const sql = `SELECT ${COLUMNS} FROM sessions WHERE id > ? AND expires >= ? ORDER BY id LIMIT ?`;
    for (let from = after; ; ) {
      const rows = await this.#sqlite.run(() => this.#sqlite.statement<SessionRow>(sql).all(from, now, limit));
      const sessions = rows.filter(isReadable);
      // A page of nothing but unreadable rows is not the end.
      if (sessions.length > 0 || rows.length < limit) return sessions;
      from = rows.at(-1)?.id ?? from;
    }
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

/** STRICT sees to the types. */
function isReadable(row: SessionRow): boolean {
  return row.secretHash.length === 32 && row.data.startsWith("{") && row.data.endsWith("}");
}

function patched(data: string, patch: Pick<SessionChange, "set" | "remove">): string {
  try {
    return patchData(data, patch);
  } catch (cause) {
    throw new UnreadableRow("The data of a session is no JSON object.", { cause });
  }
}
