// Speaks MongoDB's protocol in front of PostgreSQL with DocumentDB. For tests: no sign-in, no TLS, no transactions.
// Change it when a driver needs one more command. Reads DOCUMENTDB_URL and PORT.

import pg from "pg";
import { type Document, decode, encode, wireServer } from "./wire.ts";

type Row = Record<string, string | null>;
type Handler = (client: pg.PoolClient, database: string, command: Document) => Promise<Document>;

class CommandError extends Error {
  readonly code: number;
  readonly codeName: string;
  constructor(code: number, codeName: string, message: string) {
    super(message);
    this.code = code;
    this.codeName = codeName;
  }
}

const DUPLICATE_KEY = 11000;

/** DocumentDB reports errors as SQLSTATEs of its own; these are the ones that were seen. */
const CODES: Record<string, [code: number, name: string]> = {
  M001C: [DUPLICATE_KEY, "DuplicateKey"],
  "23505": [DUPLICATE_KEY, "DuplicateKey"],
  "23P01": [DUPLICATE_KEY, "DuplicateKey"],
  M0003: [9, "FailedToParse"],
  M0008: [26, "NamespaceNotFound"],
  "40001": [112, "WriteConflict"],
  "40P01": [112, "WriteConflict"],
  "57P01": [91, "ShutdownInProgress"],
  "57P02": [91, "ShutdownInProgress"],
  "57P03": [91, "ShutdownInProgress"],
};

/** What a mongos says when PostgreSQL is gone or its connection broke, which comes with a code of the system, or with none. */
const UNREACHABLE: [code: number, name: string] = [6, "HostUnreachable"];

/** Leaves values as PostgreSQL sends them. Those of DocumentDB are "BSONHEX" and the bytes in hexadecimal. */
const asText = { getTypeParser: () => (value: string) => value };
const pool = new pg.Pool({ connectionString: process.env.DOCUMENTDB_URL, max: 50 });
// A connection that breaks while idle is replaced by the next command.
pool.on("error", (error) => console.error(`the gateway's connection: ${error.message}`));
const cursors = new Map<string, string>();
let cursorCount = 1000;

async function call(client: pg.PoolClient, text: string, values: unknown[]): Promise<Row> {
  const { rows } = await client.query<Row>({ text, values, types: asText });
  return rows[0] ?? {};
}

function bytes(value: string | null | undefined): Buffer {
  return Buffer.from((value ?? "").slice("BSONHEX".length), "hex");
}

/** For a function of DocumentDB that takes the whole command and returns the whole reply. */
function whole(procedure: string): Handler {
  return async (client, database, command) => {
    const row = await call(client, `SELECT p_result FROM documentdb_api.${procedure}($1, $2)`, [
      database,
      encode(command),
    ]);
    return numberErrors(decode(bytes(row.p_result)));
  };
}

/** In `writeErrors` the SQLSTATE is packed into an integer, six bits a character. */
function numberErrors(result: Document): Document {
  for (const error of result.writeErrors ?? []) {
    const packed = Number(error.code);
    const state = [0, 6, 12, 18, 24].map((shift) => String.fromCharCode(((packed >> shift) & 63) + 48)).join("");
    const [code] = CODES[state] ?? [];
    if (code) error.code = code;
    if (code === DUPLICATE_KEY) error.errmsg = `E11000 duplicate key error: ${error.errmsg}`;
  }
  return result;
}

function firstPage(procedure: string): Handler {
  return async (client, database, command) => {
    cursorCount += 1;
    const row = await call(client, `SELECT * FROM documentdb_api.${procedure}($1, $2, $3)`, [
      database,
      encode(command),
      cursorCount,
    ]);
    const page = decode(bytes(row.cursorpage));
    const id = `${page.cursor?.id ?? 0}`;
    if (id !== "0" && row.continuation) cursors.set(id, row.continuation);
    return page;
  };
}

const handlers: Record<string, Handler> = {
  insert: whole("insert"),
  update: whole("update"),
  delete: whole("delete"),
  findAndModify: whole("find_and_modify"),
  find: firstPage("find_cursor_first_page"),
  aggregate: firstPage("aggregate_cursor_first_page"),
  listCollections: firstPage("list_collections_cursor_first_page"),
  listIndexes: firstPage("list_indexes_cursor_first_page"),
  async getMore(client, database, command) {
    const id = `${command.getMore}`;
    const continuation = cursors.get(id);
    if (!continuation) throw new CommandError(43, "CursorNotFound", `cursor id ${id} not found`);
    const row = await call(client, "SELECT * FROM documentdb_api.cursor_get_more($1, $2, $3)", [
      database,
      encode(command),
      bytes(continuation),
    ]);
    const page = decode(bytes(row.cursorpage));
    if (row.continuation && `${page.cursor?.id ?? 0}` !== "0") cursors.set(id, row.continuation);
    else cursors.delete(id);
    return page;
  },
  async killCursors(_client, _database, command) {
    for (const id of command.cursors) cursors.delete(`${id}`);
    return { cursorsKilled: command.cursors, cursorsNotFound: [], cursorsAlive: [], cursorsUnknown: [] };
  },
  async count(client, database, command) {
    const row = await call(client, "SELECT document FROM documentdb_api.count_query($1, $2)", [
      database,
      encode(command),
    ]);
    return decode(bytes(row.document));
  },
  async createIndexes(client, database, command) {
    const text = "SELECT documentdb_api_internal.create_indexes_non_concurrently($1, $2, true) AS document";
    return decode(bytes((await call(client, text, [database, encode(command)])).document));
  },
  async dropIndexes(client, database, command) {
    const row = await call(client, "CALL documentdb_api.drop_indexes($1, $2, NULL)", [database, encode(command)]);
    return decode(bytes(row.retval));
  },
  async create(client, database, command) {
    await call(client, "SELECT documentdb_api.create_collection_view($1, $2)", [database, encode(command)]);
    return {};
  },
  async collMod(client, database, command) {
    const text = "SELECT documentdb_api.coll_mod($1, $2, $3) AS document";
    return decode(bytes((await call(client, text, [database, command.collMod, encode(command)])).document));
  },
  async drop(client, database, command) {
    const text = "SELECT documentdb_api.drop_collection($1, $2) AS dropped";
    const { dropped } = await call(client, text, [database, command.drop]);
    if (dropped === "f") throw new CommandError(26, "NamespaceNotFound", "ns not found");
    return { ns: `${database}.${command.drop}` };
  },
  async dropDatabase(client, database) {
    await call(client, "SELECT documentdb_api.drop_database($1)", [database]);
    return { dropped: database };
  },
  async ping(client) {
    await client.query("SELECT 1");
    return {};
  },
};

/** Says that this is a mongos, so that the driver neither looks for a primary nor waits for elections. */
function hello(): Document {
  return {
    ...{ ismaster: true, isWritablePrimary: true, msg: "isdbgrid", readOnly: false, localTime: new Date() },
    ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
    ...{ logicalSessionTimeoutMinutes: 30, connectionId: 1, minWireVersion: 0, maxWireVersion: 21, ok: 1 },
  };
}

/** Fields that belong to the conversation and not to the command. */
const CONVERSATION = new Set(
  ["$db", "lsid", "txnNumber", "$clusterTime", "$readPreference", "readConcern", "writeConcern"].concat([
    "apiVersion",
    "apiStrict",
    "apiDeprecationErrors",
    "stmtId",
    "maxTimeMS",
  ]),
);

async function perform(command: Document): Promise<Document> {
  const name = Object.keys(command)[0] ?? "";
  if (["hello", "ismaster"].includes(name.toLowerCase())) return hello();
  if (name === "endSessions") return { ok: 1 };
  if (name.toLowerCase() === "buildinfo") return { version: "7.0.0", versionArray: [7, 0, 0, 0], ok: 1 };
  if ("autocommit" in command) throw new CommandError(20, "IllegalOperation", "no transactions here");
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (!handler) throw new CommandError(59, "CommandNotFound", `no such command: '${name}'`);
  const client = await pool.connect();
  try {
    const kept = Object.entries(command).filter(([key]) => !CONVERSATION.has(key));
    return { ok: 1, ...(await handler(client, command.$db, Object.fromEntries(kept))) };
  } finally {
    client.release();
  }
}

async function run(command: Document): Promise<Document> {
  try {
    return await perform(command);
  } catch (error) {
    const { message, code } = error as Error & { code?: string | number };
    if (error instanceof CommandError) return { ok: 0, errmsg: message, code, codeName: error.codeName };
    // Codes of the system begin with E (EPIPE), which no SQLSTATE does. Those of class 08 are about the connection.
    const hasState = /^(?!E|08)[0-9A-Z]{5}$/.test(`${code}`);
    const [number, codeName] = CODES[`${code}`] ?? (hasState ? [8000, "InternalError"] : UNREACHABLE);
    const errmsg = number === DUPLICATE_KEY ? `E11000 duplicate key error: ${message}` : `${message} [${code ?? ""}]`;
    return { ok: 0, errmsg, code: number, codeName };
  }
}

await pool.query("CREATE EXTENSION IF NOT EXISTS documentdb CASCADE");
wireServer(hello, run).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
