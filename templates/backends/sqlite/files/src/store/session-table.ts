// What requests do to the table of sessions. Everything here is synchronous, as better-sqlite3 is: driver.ts calls it.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import type Database from "better-sqlite3";
import {
  type Access,
  type ChangeResult,
  type FoundRow,
  patchData,
  type SessionChange,
  type SessionInfo,
  type SessionRow,
  type Touch,
  touchInterval,
  UnreadableRow,
} from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import { type Connection, isDuplicate, isLocked } from "./connection.ts";

type ColumnValue = string | number | null;

/** A row as the table has it, without the columns that lists don't need. */
export interface StoredInfo {
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
/** To be selected from the table. */
export const INFO_COLUMNS = [
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
export const ALL_COLUMNS = `secret_hash, data, version, ${INFO_COLUMNS}`;

const READ = `SELECT ${ALL_COLUMNS} FROM sessions WHERE id = ?`;

type Patch = Pick<SessionChange, "set" | "remove">;

export class SessionTable {
  readonly #connection: Connection;
  /** What the SQL function `patched` applies, so that a change is one statement, atomic across processes. */
  #patch: Patch = {};

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Call it with each database that is opened. */
  defineFunctions(database: Database.Database): void {
    database.function("patched", { directOnly: true }, (data: string) => patched(data, this.#patch));
  }

  create(row: SessionRow): void {
    const own: Record<string, ColumnValue> = { ...row.columns };
    const values = [
      ...[row.secretHash, row.data, row.version],
      ...[row.id, row.userid, row.created, row.updated, row.authenticated, row.idle, row.expires],
      ...[row.ipaddress, row.useragent],
      ...OWN_COLUMNS.map((name) => own[name]),
    ];
    const sql = `INSERT INTO sessions (${ALL_COLUMNS}) VALUES (${values.map(() => "?").join(", ")})`;
    try {
      this.#connection.statement(sql).run(values);
    } catch (error) {
      if (isDuplicate(error)) throw new Error(`There is a session ${row.id} already.`, { cause: error });
      throw error;
    }
  }

  read(id: string, { now, touch }: Access): FoundRow | undefined {
    const stored = this.#connection.statement<StoredRow>(READ).get(id);
    if (stored === undefined) return undefined;
    const row = toRow(stored);
    const isDue = touch !== undefined && now - row.updated >= touchInterval(touch.every, row.idle);
    return isDue && row.expires >= now ? this.#touch(row, now, touch) : row;
  }

  /** Returns the row as it was if the secret is another one or the file is locked. */
  #touch(row: SessionRow, now: number, touch: Touch & { secretHash: Uint8Array }): FoundRow {
    const sql = `UPDATE sessions SET updated = max(updated, ?), expires = min(max(updated, ?) + idle, created + ?)
      WHERE id = ? AND expires >= ? AND secret_hash = ? RETURNING updated, expires`;
    try {
      const statement = this.#connection.statement<Pick<SessionRow, "updated" | "expires">>(sql);
      const moved = statement.get(now, now, touch.lifetime, row.id, now, touch.secretHash);
      return moved === undefined ? row : { ...row, ...moved, touched: true };
    } catch (error) {
      if (isLocked(error)) return row;
      throw error;
    }
  }

  change(id: string, change: SessionChange): ChangeResult {
    const { now, touch, ifVersion, ifSecretHash } = change;
    const assignments = ["version = version + 1"];
    const values: unknown[] = [];
    const assign = (assignment: string, ...given: unknown[]) => {
      assignments.push(assignment);
      values.push(...given);
    };
    if (change.set?.size || change.remove?.length) {
      const { whole } = change;
      if (whole === undefined) assign("data = patched(data)");
      else assign("data = CASE WHEN version = ? THEN ? ELSE patched(data) END", whole.version, whole.data);
    }
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
    this.#patch = change;
    if (this.#connection.statement(sql).run(values).changes === 1) return "done";
    if (!isConditional) return "gone";
    const live = this.#connection.statement("SELECT 1 FROM sessions WHERE id = ? AND expires >= ?").get(id, now);
    return live === undefined ? "gone" : "conflict";
  }

  end(id: string): boolean {
    return this.#connection.statement("DELETE FROM sessions WHERE id = ?").run(id).changes === 1;
  }

  listByUser(userid: string, now: number, limit: number): SessionInfo[] {
    const sql = `SELECT ${INFO_COLUMNS} FROM sessions WHERE userid = ? AND expires >= ? ORDER BY created DESC LIMIT ?`;
    return this.#connection.statement<StoredInfo>(sql).all(userid, now, limit).map(toInfo);
  }

  endByUser(userid: string, limit: number, exceptId?: string): string[] {
    const sql = `DELETE FROM sessions WHERE rowid IN
      (SELECT rowid FROM sessions WHERE userid = ? AND id IS NOT ? LIMIT ?) RETURNING id`;
    const ended = this.#connection.statement<{ id: string }>(sql).all(userid, exceptId, limit);
    return ended.map(({ id }) => id);
  }
}

export function toInfo(stored: StoredInfo): SessionInfo {
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

function patched(data: string, patch: Patch): string {
  try {
    return patchData(data, patch);
  } catch (cause) {
    throw new UnreadableRow("The data of a session is not a JSON object.", { cause });
  }
}
