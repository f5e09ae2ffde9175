// Makes the file and its table from schema.sql, checks that they are as that file says, and tries what requests will do.
// Change it when the table has to be set up or checked in another way.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SessionRow } from "../session/contract.ts";
import { initialColumns } from "../session-columns.ts";
import { type Connection, isRefused } from "./connection.ts";
import { ALL_COLUMNS, type SessionTable } from "./session-table.ts";

export async function setUp(connection: Connection): Promise<void> {
  const schema = readFileSync(new URL("../../schema.sql", import.meta.url), "utf8");
  connection.createFile();
  await connection.run((database) => {
    database.pragma("journal_mode = WAL");
    database.transaction(() => database.exec(schema)).immediate();
  });
}

/** Rejects unless the table is as schema.sql says and what requests do works. */
export async function check(connection: Connection, table: SessionTable): Promise<void> {
  const { file } = connection;
  await connection.run((database) => {
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
      // SQLite adds a guess at quotation marks, which are right here.
      const message = (cause as Error).message.replace(/ - should this be .*/, "");
      const remedy = message.includes("column")
        ? " Add it by ALTER TABLE, and to schema.sql if it isn't there yet."
        : "";
      throw new Error(`SQLITE_FILE ${file} lacks part of schema.sql (${message}).${remedy}`, { cause });
    }
    if (strict !== 1) {
      throw new Error(`SQLITE_FILE ${file} has a table "sessions" that isn't STRICT, as in schema.sql.`);
    }
  });
  await connection.run((database) => {
    database.exec("BEGIN IMMEDIATE");
    try {
      tryRequests(table, file);
    } catch (error) {
      if (!isRefused(error)) throw error;
      throw new Error(`SQLITE_FILE ${file} can't be used: ${(error as Error).message}.`, { cause: error });
    } finally {
      if (database.inTransaction) database.exec("ROLLBACK");
    }
  });
}

/** Triggers and constraints may refuse what the columns allow. */
function tryRequests(table: SessionTable, file: string): void {
  const now = Math.floor(Date.now() / 1000);
  const row: SessionRow = {
    id: `check-${randomBytes(8).toString("hex")}`,
    secretHash: randomBytes(32),
    userid: `check-${randomBytes(8).toString("hex")}`,
    created: now - 600,
    updated: now - 600,
    authenticated: 0,
    idle: 3600,
    expires: now + 3000,
    ipaddress: "",
    useragent: "",
    columns: initialColumns,
    data: "{}",
    version: 1,
  };
  const refused = (what: string) =>
    new Error(`SQLITE_FILE ${file}: a session could be written but not be ${what}. Look for a trigger.`);
  table.create(row);
  const touch = { lifetime: 86_400, every: 60, secretHash: row.secretHash };
  if (!table.read(row.id, { now, touch })?.touched) throw refused("read and changed");
  if (table.change(row.id, { now, set: new Map([["checked", "true"]]) }) !== "done") throw refused("changed");
  if (table.listByUser(row.userid as string, now, 1).length !== 1) throw refused("listed");
  if (!table.end(row.id)) throw refused("deleted");
}
