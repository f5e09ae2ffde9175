// What requests do to the table of sessions: a change is one UPDATE, a look-up one SELECT by primary key.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import type { RowDataPacket } from "mysql2/promise";
import type {
  Access,
  ChangeResult,
  RequestStore,
  SessionChange,
  SessionInfo,
  SessionRow,
} from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import { isDuplicate } from "./errors.ts";
import { bytes, type Queries, TEXT, type Value } from "./pool.ts";
import { decode, encode, paths } from "./stored-data.ts";

type ColumnValue = string | number | null;

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

export class SessionTable implements RequestStore {
  protected readonly queries: Queries;
  /** The table's name as it is written in SQL. */
  protected readonly table: string;

  constructor(queries: Queries, table: string) {
    this.queries = queries;
    this.table = table;
  }

  async create(row: SessionRow): Promise<void> {
    const data = Object.entries(JSON.parse(row.data) as object);
    const json = encode(data.map(([key, value]) => [key, JSON.stringify(value)]));
    const own: Record<string, ColumnValue> = { ...row.columns };
    const userid = row.userid === null ? null : bytes(row.userid);
    const values: Value[] = [
      ...[Buffer.from(row.secretHash), bytes(json), row.version],
      ...[bytes(row.id), userid, row.created, row.updated, row.authenticated, row.idle, row.expires],
      ...[bytes(row.ipaddress), bytes(row.useragent)],
      ...OWN_COLUMNS.map((name) => ownValue(own[name] ?? null)),
    ];
    const placeholders = [
      ...["?", TEXT, "?"],
      ...["?", "?", "?", "?", "?", "?", "?"],
      ...[TEXT, TEXT],
      ...OWN_COLUMNS.map((name) => placeholderOf(own[name])),
    ];
    try {
      await this.queries.write(
        `INSERT INTO ${this.table} (${ALL_COLUMNS}) VALUES (${placeholders.join(", ")})`,
        values,
      );
    } catch (error) {
      if (isDuplicate(error)) throw new Error(`There is a session ${row.id} already.`, { cause: error });
      throw error;
    }
  }

  /** A touch is left to `change`: neither server can update and return a row in one statement. */
  async read(id: string, _access: Access): Promise<SessionRow | undefined> {
    const [row] = await this.queries.read<AllColumns>(`SELECT ${ALL_COLUMNS} FROM ${this.table} WHERE id = ?`, [
      bytes(id),
    ]);
    return row && toRow(row);
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { assignments, values } = assignmentsOf(change);
    // A patch would turn what is no object, an unreadable row, into an empty session.
    const live = "id = ? AND expires >= ? AND JSON_TYPE(data) = 'OBJECT'";
    const conditions = [live];
    values.push(bytes(id), change.now);
    if (change.ifVersion !== undefined) {
      conditions.push("version = ?");
      values.push(change.ifVersion);
    }
    if (change.ifSecretHash !== undefined) {
      conditions.push("secret_hash = ?");
      values.push(Buffer.from(change.ifSecretHash));
    }
    const sql = `UPDATE ${this.table} SET ${assignments.join(", ")} WHERE ${conditions.join(" AND ")}`;
    if ((await this.queries.write(sql, values)) > 0) return "done";
    if (change.ifVersion === undefined && change.ifSecretHash === undefined) return "gone";
    const left = await this.queries.read(`SELECT 1 FROM ${this.table} WHERE ${live}`, [bytes(id), change.now]);
    return left.length > 0 ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return (await this.queries.write(`DELETE FROM ${this.table} WHERE id = ?`, [bytes(id)])) > 0;
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const sql = `SELECT ${INFO_COLUMNS} FROM ${this.table} WHERE userid = ? AND expires >= ? ORDER BY created DESC LIMIT ?`;
    return (await this.queries.read<InfoColumns>(sql, [bytes(userid), now, limit])).map(toInfo);
  }

  /** In a transaction that locks the rows first, since neither server's DELETE says which rows it has deleted. */
  async endByUser(userid: string, limit: number, exceptId = ""): Promise<string[]> {
    return await this.queries.transaction(async ({ read, write }) => {
      const sql = `SELECT id FROM ${this.table} WHERE userid = ? AND id <> ? ORDER BY created LIMIT ? FOR UPDATE`;
      const ids = (await read(sql, [bytes(userid), bytes(exceptId), limit])).map(({ id }) => String(id));
      if (ids.length > 0) await write(`DELETE FROM ${this.table} WHERE id IN (?)`, [ids.map(bytes)]);
      return ids;
    });
  }
}

/** Assignments see what those to their left have made. */
function assignmentsOf(change: SessionChange): { assignments: string[]; values: Value[] } {
  const { now, userid, idle, touch } = change;
  const assignments: string[] = [];
  const values: Value[] = [];
  const assign = (assignment: string, ...given: Value[]) => {
    assignments.push(assignment);
    values.push(...given);
  };
  if (touch) {
    const expires = "LEAST(GREATEST(updated, ?) + COALESCE(?, idle), created + ?)";
    assign(`expires = ${expires}`, now, idle ?? null, touch.lifetime);
    assign("updated = GREATEST(updated, ?)", now);
  }
  if (idle !== undefined) assign("idle = ?", idle);
  if (userid !== undefined) assign("userid = ?", userid === null ? null : bytes(userid));
  if (change.secretHash !== undefined) assign("secret_hash = ?", Buffer.from(change.secretHash));
  if (change.authenticated !== undefined) assign("authenticated = ?", change.authenticated);
  const own: Record<string, ColumnValue | undefined> = { ...change.columns };
  for (const name of OWN_COLUMNS) {
    if (own[name] !== undefined) assign(`${quoted(name)} = ${placeholderOf(own[name])}`, ownValue(own[name]));
  }
  const removed = paths(change.remove ?? []);
  let data = "data";
  if (removed.length > 0) data = `JSON_REMOVE(data, ${removed.map(() => TEXT).join(", ")})`;
  // MariaDB's JSON_MERGE_PATCH removes some wrong keys of several (seen in 10.11), so it is used to set keys only.
  if (change.set?.size) data = `JSON_MERGE_PATCH(${data}, ${TEXT})`;
  const patch = change.set?.size ? [encode(change.set)] : [];
  if (data !== "data") assign(`data = ${data}`, ...[...removed, ...patch].map(bytes));
  assign("version = version + 1");
  return { assignments, values };
}

/** What the server returns for INFO_COLUMNS. Binary columns are bytes. */
export interface InfoColumns extends RowDataPacket {
  id: Buffer;
  userid: Buffer | null;
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  expires: number;
  ipaddress: string;
  useragent: string;
}

/** What the server returns for ALL_COLUMNS. */
interface AllColumns extends InfoColumns {
  secret_hash: Buffer;
  data: string;
  version: number;
}

export function toInfo(row: InfoColumns): SessionInfo {
  const columns = Object.fromEntries(OWN_COLUMNS.map((name) => [name, textOf(row[name])])) as unknown as SessionColumns;
  return {
    id: String(row.id),
    userid: row.userid === null ? null : String(row.userid),
    created: row.created,
    updated: row.updated,
    authenticated: row.authenticated,
    idle: row.idle,
    expires: row.expires,
    ipaddress: row.ipaddress,
    useragent: row.useragent,
    columns,
  };
}

function toRow(row: AllColumns): SessionRow {
  const info = toInfo(row);
  const secretHash = new Uint8Array(row.secret_hash);
  return { ...info, secretHash, data: decode(info.id, row.data), version: row.version };
}

/** A binary column's text comes as bytes. */
function textOf(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

function ownValue(value: ColumnValue): Value {
  return typeof value === "string" ? bytes(value) : value;
}

function placeholderOf(value: ColumnValue | undefined): string {
  return typeof value === "string" ? TEXT : "?";
}

function quoted(name: string): string {
  return `\`${name}\``;
}
