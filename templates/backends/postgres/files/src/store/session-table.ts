// What requests do to the table of sessions: each operation is one prepared statement, one round trip.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import {
  type Access,
  type ChangeResult,
  type FoundRow,
  joinData,
  type RequestStore,
  type SessionChange,
  type SessionInfo,
  type SessionRow,
  type Touch,
  touchInterval,
} from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import { HEAVY_LOAD, type Queries } from "./connection.ts";
import { isDuplicate } from "./errors.ts";

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
  [ownColumn: string]: unknown;
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
];
const ALL_COLUMNS = ["secret_hash", "data", "version", ...INFO_COLUMNS];

/** To be selected from the table, under the alias `s`. */
export const LISTED = selectionOf(INFO_COLUMNS);
export const WHOLE = selectionOf(ALL_COLUMNS);
const WHOLE_AFTER_TOUCH = `${selectionOf(ALL_COLUMNS.filter((name) => name !== "updated" && name !== "expires"))},
  coalesce(t.updated, s.updated) AS updated, coalesce(t.expires, s.expires) AS expires, t.updated IS NOT NULL AS was_touched`;

/** Sessions for which `#dueFrom` remembers when a touch is due. */
const MAX_REMEMBERED = 10_000;

export class SessionTable implements RequestStore {
  protected readonly queries: Queries;
  /** The table's name as it is written in SQL. */
  protected readonly table: string;
  /** When a touch may be due, by id. Until then a plain SELECT does, at half the cost for the server. */
  readonly #dueFrom = new Map<string, number>();

  constructor(queries: Queries, table: string) {
    this.queries = queries;
    this.table = table;
  }

  async create(row: SessionRow): Promise<void> {
    const own: Record<string, ColumnValue> = { ...row.columns };
    const values = [
      ...[row.secretHash, row.data, row.version],
      ...[row.id, row.userid, row.created, row.updated, row.authenticated, row.idle, row.expires],
      ...[row.ipaddress, row.useragent],
      ...OWN_COLUMNS.map((name) => own[name]),
    ];
    const parameters = values.map((_, index) => `$${index + 1}`);
    try {
      await this.queries.query(`INSERT INTO ${this.table} (${ALL_COLUMNS}) VALUES (${parameters})`, values);
    } catch (error) {
      if (isDuplicate(error)) throw new Error(`There is a session ${row.id} already.`, { cause: error });
      throw error;
    }
  }

  async read(id: string, { now, touch }: Access): Promise<FoundRow | undefined> {
    if (touch === undefined || now < (this.#dueFrom.get(id) ?? 0)) return await this.#read(id);
    const row = await this.#readAndTouch(id, now, touch);
    if (row === undefined) return undefined;
    if (this.#dueFrom.size >= MAX_REMEMBERED) this.#dueFrom.clear();
    this.#dueFrom.set(id, row.updated + touchInterval(touch.every, row.idle));
    return row;
  }

  async #read(id: string): Promise<FoundRow | undefined> {
    const sql = `SELECT ${WHOLE} FROM ${this.table} s WHERE s.id = $1`;
    const { rows } = await this.queries.query<StoredRow>(sql, [id]);
    return rows[0] && toRow(rows[0]);
  }

  /** The UPDATE finds nothing unless a touch is due. */
  async #readAndTouch(id: string, now: number, touch: NonNullable<Access["touch"]>): Promise<FoundRow | undefined> {
    const sql = `WITH touched AS (
        UPDATE ${this.table} SET updated = $2, expires = least($2 + idle, created + $3)
        WHERE id = $1 AND expires >= $2 AND $2 - updated >= greatest(1, least($4, idle / 10)) AND secret_hash = $5
        RETURNING updated, expires)
      SELECT ${WHOLE_AFTER_TOUCH} FROM ${this.table} s LEFT JOIN touched t ON true WHERE s.id = $1`;
    const values = [id, now, touch.lifetime, touch.every, touch.secretHash];
    const { rows } = await this.queries.query<StoredRow & { was_touched: boolean }>(sql, values);
    return rows[0] && { ...toRow(rows[0]), touched: rows[0].was_touched };
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const values: unknown[] = [];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const conditions = [`id = ${parameter(id)}`, `expires >= ${parameter(change.now)}`];
    const isConditional = change.ifVersion !== undefined || change.ifSecretHash !== undefined;
    if (change.ifVersion !== undefined) conditions.push(`version = ${parameter(change.ifVersion)}`);
    if (change.ifSecretHash !== undefined) conditions.push(`secret_hash = ${parameter(change.ifSecretHash)}`);

    const assignments = ["version = version + 1", ...assignmentsOf(change, parameter)];
    const sql = `UPDATE ${this.table} SET ${assignments.join(", ")} WHERE ${conditions.join(" AND ")}`;
    const { count } = await this.queries.query(sql, values);
    if (count === 1) return "done";
    if (!isConditional) return "gone";
    const live = `SELECT 1 FROM ${this.table} WHERE id = $1 AND expires >= $2`;
    return (await this.queries.query(live, [id, change.now])).count === 1 ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return (await this.queries.query(`DELETE FROM ${this.table} WHERE id = $1`, [id])).count === 1;
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const sql = `SELECT ${LISTED} FROM ${this.table} s WHERE s.userid = $1 AND s.expires >= $2
      ORDER BY s.created DESC LIMIT $3`;
    return (await this.queries.query<StoredInfo>(sql, [userid, now, limit])).rows.map(toInfo);
  }

  /** The rows are locked before they are counted, so that those that somebody else ends at the same time don't count. */
  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    const sql = `DELETE FROM ${this.table} WHERE id = ANY (ARRAY(
      SELECT id FROM ${this.table} WHERE userid = $1 AND id IS DISTINCT FROM $2 LIMIT $3 FOR UPDATE)) RETURNING id`;
    const { rows } = await this.queries.query<{ id: string }>(sql, [userid, exceptId, limit], HEAVY_LOAD);
    return rows.map(({ id }) => id);
  }
}

function assignmentsOf(change: SessionChange, parameter: (value: unknown) => string): string[] {
  const assignments: string[] = [];
  if (change.set?.size || change.remove?.length) {
    let data = "data";
    if (change.remove?.length) data = `(data - ${parameter(change.remove)}::text[])`;
    if (change.set?.size) data += ` || ${parameter(joinData(change.set))}::jsonb`;
    assignments.push(`data = ${data}`);
  }
  if (change.userid !== undefined) assignments.push(`userid = ${parameter(change.userid)}`);
  if (change.secretHash !== undefined) assignments.push(`secret_hash = ${parameter(change.secretHash)}`);
  if (change.authenticated !== undefined) assignments.push(`authenticated = ${parameter(change.authenticated)}`);
  const own: Record<string, ColumnValue | undefined> = { ...change.columns };
  for (const name of OWN_COLUMNS) {
    if (own[name] !== undefined) assignments.push(`${quoted(name)} = ${parameter(own[name])}`);
  }
  let idle = "idle";
  if (change.idle !== undefined) {
    idle = `${parameter(change.idle)}::bigint`;
    assignments.push(`idle = ${idle}`);
  }
  if (change.touch) assignments.push(...touchAssignments(change.now, idle, change.touch, parameter));
  return assignments;
}

function touchAssignments(now: number, idle: string, touch: Touch, parameter: (value: unknown) => string): string[] {
  const updated = `greatest(updated, ${parameter(now)}::bigint)`;
  const expires = `least(${updated} + ${idle}, created + ${parameter(touch.lifetime)}::bigint)`;
  return [`updated = ${updated}`, `expires = ${expires}`];
}

export function toInfo(stored: StoredInfo): SessionInfo {
  const { id, userid, created, updated, authenticated, idle, expires, ipaddress, useragent } = stored;
  const columns = Object.fromEntries(OWN_COLUMNS.map((name) => [name, stored[name]])) as unknown as SessionColumns;
  return { id, userid, created, updated, authenticated, idle, expires, ipaddress, useragent, columns };
}

function toRow(stored: StoredRow): SessionRow {
  return { ...toInfo(stored), secretHash: stored.secret_hash, data: stored.data, version: stored.version };
}

function selectionOf(columns: readonly string[]): string {
  return columns.map((name) => `s.${name}`).join(", ");
}

function quoted(name: string): string {
  return `"${name}"`;
}
