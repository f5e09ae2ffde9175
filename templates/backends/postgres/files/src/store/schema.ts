// Makes the table from schema.sql, checks that it is as that file says, and tries what requests will do.
// Change it when schema.sql gets another column or index that the driver relies on.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseError, type FieldDef } from "pg";
import { type RequestStore, type SessionRow, StoreUnavailable } from "../session/contract.ts";
import { initialColumns } from "../session-columns.ts";
import type { Postgres } from "./connection.ts";
import { codeOf } from "./errors.ts";
import { SessionTable, WHOLE } from "./session-table.ts";

/** PostgreSQL's numbers for the types of the columns that the driver relies on. */
const [TEXT, BYTEA, BIGINT, JSONB] = [25, 17, 20, 3802] as const;
const TYPES: Record<string, number> = {
  id: TEXT,
  secret_hash: BYTEA,
  userid: TEXT,
  created: BIGINT,
  updated: BIGINT,
  authenticated: BIGINT,
  idle: BIGINT,
  expires: BIGINT,
  expires_slot: BIGINT,
  ipaddress: TEXT,
  useragent: TEXT,
  data: JSONB,
  version: BIGINT,
};

/** The key of the lock that keeps two processes from creating the table at once. The number means nothing. */
const SETUP_LOCK = "7305478105938452321";

/** Codes of the server's errors. */
const INSUFFICIENT_PRIVILEGE = "42501";
const UNDEFINED_COLUMN = "42703";
const UNDEFINED_TABLE = "42P01";

/** Where nothing is missing, no permission to create is needed. */
export async function setUp(postgres: Postgres, name: string): Promise<void> {
  if ((await faultOf(postgres, name)) === undefined) return;
  const schema = readFileSync(new URL("../../schema.sql", import.meta.url), "utf8");
  const bareName = name.split(".").at(-1) ?? name;
  // In one pass, since the new name may contain the old one: sessions_of_app must not be renamed twice.
  const named = schema.replaceAll(/"sessions(_\w+)?"/g, (_, suffix?: string) =>
    suffix ? quotedName(bareName + suffix) : quotedName(name),
  );
  // CREATE … IF NOT EXISTS fails when two processes do it at once.
  await postgres.run(`SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${SETUP_LOCK}); ${named}`);
}

/** Rejects unless the table is as schema.sql says and the database user may do with it what requests do. */
export async function check(postgres: Postgres, name: string): Promise<void> {
  try {
    const fault = await faultOf(postgres, name);
    if (fault !== undefined) throw new Error(fault);
    await postgres.rolledBack((queries) => tryRequests(new SessionTable(queries, quotedName(name)), name));
  } catch (error) {
    if (error instanceof StoreUnavailable || codeOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    const { message } = error as Error;
    throw new Error(`${message} The app needs SELECT, INSERT, UPDATE and DELETE on the table.`, { cause: error });
  }
}

/** What the table lacks, in a sentence. */
async function faultOf(postgres: Postgres, name: string): Promise<string | undefined> {
  const table = quotedName(name);
  try {
    const { fields } = await postgres.run(`SELECT ${WHOLE}, s.expires_slot FROM ${table} s LIMIT 0`);
    const wrong = fields.find(({ name, dataTypeID }: FieldDef) => (TYPES[name] ?? dataTypeID) !== dataTypeID);
    if (wrong) return `SESSION_TABLE ${name}: the column ${wrong.name} has another type than in schema.sql.`;
  } catch (error) {
    if (codeOf(error) === UNDEFINED_TABLE) {
      return `SESSION_TABLE ${name} doesn't exist. \`npm run sessions -- setup\` creates it.`;
    }
    if (codeOf(error) !== UNDEFINED_COLUMN) throw error;
    const { message } = (error as Error).cause as Error;
    return `SESSION_TABLE ${name} isn't as in schema.sql: ${message}. Add it by ALTER TABLE, and to schema.sql if it isn't there yet.`;
  }
  const { rows } = await postgres.run(`SELECT string_agg(name, ', ') AS slow
    FROM unnest(ARRAY['userid', 'expires_slot']) AS name WHERE NOT EXISTS (
      SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = '${table}'::regclass AND i.indisvalid AND a.attname = name)`);
  const { slow } = rows[0] as { slow: string | null };
  if (slow === null) return undefined;
  return `SESSION_TABLE ${name} has no index on ${slow}. \`npm run sessions -- setup\` creates it.`;
}

/** Permissions, row level security, triggers and constraints may each refuse what the table's definition allows. */
async function tryRequests(store: RequestStore, name: string): Promise<void> {
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
  const touch = { lifetime: 86_400, every: 60, secretHash: row.secretHash };
  const refused = (what: string) =>
    new Error(
      `SESSION_TABLE ${name}: the server let a session be written but not be ${what}. Look for row level security or a trigger.`,
    );
  try {
    await store.create(row);
    if (!(await store.read(row.id, { now, touch }))?.touched) throw refused("read and changed");
    const change = { now, set: new Map([["checked", "true"]]), ifSecretHash: row.secretHash };
    if ((await store.change(row.id, change)) !== "done") throw refused("changed");
    if ((await store.listByUser(row.userid as string, now, 1)).length !== 1) throw refused("listed");
    if (!(await store.end(row.id))) throw refused("deleted");
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new Error(`SESSION_TABLE ${name} can't be used: ${(error as Error).message}.`, { cause: error });
  }
}

/** settings.ts lets no name through that could end the quotation. */
export function quotedName(name: string): string {
  return name
    .split(".")
    .map((part) => `"${part}"`)
    .join(".");
}
