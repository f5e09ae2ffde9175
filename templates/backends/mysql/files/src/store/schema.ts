// Makes the table from schema.sql, and checks it.
// Change it when schema.sql gets another column or index.

import { readFile } from "node:fs/promises";
import type { SessionRow } from "../session/contract.ts";
import type { MysqlPool } from "./pool.ts";

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
export const PROPERTIES = Object.keys(COLUMN_OF) as (keyof SessionRow)[];
export const COLUMNS = Object.values(COLUMN_OF).join(", ");

/** Text would compare by a collation, which takes "Alice" for "alice". */
const BINARY = ["id", "secret_hash", "userid"];

const INDEXED = ["id", "userid", "expires"];

class MissingTable extends Error {
  override readonly name = "MissingTable";
}

/** Idempotent; several processes may do it at once. */
export async function setUp(pool: MysqlPool, table: string): Promise<void> {
  try {
    // Where nothing is missing, no permission to create is needed.
    return await check(pool, table);
  } catch (error) {
    if (!(error instanceof MissingTable)) throw error;
  }
  const schema = await readFile(new URL("../../schema.sql", import.meta.url), "utf8");
  await pool.write(schema.replaceAll("`sessions`", `\`${table}\``));
  await check(pool, table);
}

export async function check(pool: MysqlPool, table: string): Promise<void> {
  await checkColumns(pool, table);
  await checkIndexes(pool, table);
  await checkPermissions(pool, table);
}

async function checkColumns(pool: MysqlPool, table: string): Promise<void> {
  const sql = `SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
  const columns = await pool.read(sql, [table]);
  if (columns.length === 0) throw new MissingTable(`Table "${table}" is missing: run "npm run sessions -- setup".`);
  const types = new Map(columns.map(({ name, type }) => [String(name).toLowerCase(), String(type)]));
  for (const name of Object.values(COLUMN_OF)) {
    const type = types.get(name);
    if (type === undefined) throw new Error(`Table "${table}" has no column "${name}"; schema.sql shows it.`);
    if (BINARY.includes(name) && !type.endsWith("binary")) {
      throw new Error(`Column "${name}" of table "${table}" is ${type}; schema.sql says binary, to compare exactly.`);
    }
  }
}

async function checkIndexes(pool: MysqlPool, table: string): Promise<void> {
  const sql = `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND SEQ_IN_INDEX = 1`;
  const indexes = await pool.read(sql, [table]);
  for (const name of INDEXED) {
    if (indexes.some((index) => String(index.name).toLowerCase() === name)) continue;
    throw new Error(`Table "${table}" has no index on "${name}"; schema.sql shows it.`);
  }
}

/** These need the permissions that are needed in earnest, and change no row. */
async function checkPermissions(pool: MysqlPool, table: string): Promise<void> {
  const name = `\`${table}\``;
  await pool.read(`SELECT ${COLUMNS} FROM ${name} LIMIT 0`);
  await pool.write(`INSERT INTO ${name} (${COLUMNS}) SELECT ${COLUMNS} FROM ${name} WHERE 1 = 0`);
  await pool.write(`UPDATE ${name} SET version = version WHERE 1 = 0`);
  await pool.write(`DELETE FROM ${name} WHERE 1 = 0`);
}
