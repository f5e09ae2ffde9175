// Makes the table from schema.sql, checks that it is as that file says, and tries what requests will do.
// Change it when schema.sql gets another column or index that the driver relies on.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RowDataPacket } from "mysql2/promise";
import { type RequestStore, type SessionRow, StoreUnavailable } from "../session/contract.ts";
import { initialColumns } from "../session-columns.ts";
import { isOfServer, missingTable } from "./errors.ts";
import type { MysqlPool, Queries } from "./pool.ts";
import { ALL_COLUMNS, SessionTable } from "./session-table.ts";

/** Text would compare by a collation, which takes "Alice" for "alice". */
const BINARY_COLUMNS = ["id", "secret_hash", "userid"];

const INDEXED_COLUMNS = ["id", "userid", "expires"];

/** Idempotent; several processes may do it at once. Where nothing is missing, no permission to create is needed. */
export async function setUp(pool: MysqlPool, table: string): Promise<void> {
  if ((await columnTypes(pool, table)).size > 0) return;
  const schema = await readFile(new URL("../../schema.sql", import.meta.url), "utf8");
  await pool.setUp(schema.replaceAll("`sessions`", `\`${table}\``));
}

/** Rejects unless the table is as schema.sql says and the database user may do with it what requests do. */
export async function check(pool: MysqlPool, table: string): Promise<void> {
  await checkColumns(pool, table);
  await checkIndexes(pool, table);
  try {
    await pool.rolledBack(({ read, write }) => {
      const queries: Queries = { read, write, transaction: (work) => work({ read, write }) };
      return tryRequests(new SessionTable(queries, `\`${table}\``), table);
    });
  } catch (error) {
    if (error instanceof StoreUnavailable || !isOfServer(error)) throw error;
    throw new Error(`Table "${table}" (SESSION_TABLE) can't be used: ${(error as Error).message}.`, { cause: error });
  }
}

/** The types of the table's columns, by their names in lower case; empty if there is no such table. */
async function columnTypes(pool: MysqlPool, table: string): Promise<Map<string, string>> {
  const sql = `SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
  const columns = await pool.read(sql, [Buffer.from(table)]);
  return new Map(columns.map(({ name, type }) => [String(name).toLowerCase(), String(type)]));
}

async function checkColumns(pool: MysqlPool, table: string): Promise<void> {
  const types = await columnTypes(pool, table);
  if (types.size === 0) throw new Error(missingTable(table));
  for (const name of ALL_COLUMNS.replaceAll("`", "").split(", ")) {
    const type = types.get(name.toLowerCase());
    if (type === undefined) {
      throw new Error(
        `Table "${table}" has no column "${name}". Add it by ALTER TABLE, and to schema.sql if it isn't there yet.`,
      );
    }
    if (BINARY_COLUMNS.includes(name) && !type.endsWith("binary")) {
      throw new Error(`Column "${name}" of table "${table}" is ${type}; schema.sql says binary, to compare exactly.`);
    }
  }
}

async function checkIndexes(pool: MysqlPool, table: string): Promise<void> {
  const sql = `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND SEQ_IN_INDEX = 1`;
  const indexes = await pool.read<RowDataPacket & { name: string }>(sql, [Buffer.from(table)]);
  for (const name of INDEXED_COLUMNS) {
    if (indexes.some((index) => String(index.name).toLowerCase() === name)) continue;
    throw new Error(`Table "${table}" has no index on "${name}"; schema.sql shows it.`);
  }
}

/** Permissions, triggers and constraints may each refuse what the table's definition allows. */
async function tryRequests(store: RequestStore, table: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const row: SessionRow = {
    id: `check-${randomBytes(8).toString("hex")}`,
    secretHash: randomBytes(32),
    userid: `check-${randomBytes(8).toString("hex")}`,
    created: now,
    updated: now,
    authenticated: 0,
    idle: 3600,
    expires: now + 3600,
    ipaddress: "",
    useragent: "",
    columns: initialColumns,
    data: "{}",
    version: 1,
  };
  const refused = (what: string) =>
    new Error(`Table "${table}": the server let a session be written but not be ${what}. Look for a trigger.`);
  await store.create(row);
  if ((await store.read(row.id, { now })) === undefined) throw refused("read");
  const change = { now, set: new Map([["checked", "true"]]), ifSecretHash: row.secretHash };
  if ((await store.change(row.id, change)) !== "done") throw refused("changed");
  if ((await store.listByUser(row.userid as string, now, 1)).length !== 1) throw refused("listed");
  if (!(await store.end(row.id))) throw refused("deleted");
}
