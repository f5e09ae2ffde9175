// The apps that are measured against each other: the same Express, the same two handlers, other sessions.
// Add a contender: a function that puts its session middleware into an app and makes one session.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type Database from "better-sqlite3";
import type { Express, RequestHandler } from "express";
import type { Pool } from "pg";

export interface Setting {
  /** An assembled project: our code, and the framework and drivers that all contenders share. */
  project: string;
  /** A folder for files. */
  folder: string;
  postgres: string;
}

export interface Contender {
  use(app: Express): void | Promise<void>;
  /** Makes a session with this data and resolves to the Cookie header that brings it back. */
  make(data: Record<string, unknown>): Promise<string>;
}

/** What the two handlers of every contender use: one only reads, one counts. */
export interface AnySession {
  user?: string;
  count?: number;
}

export const contenders: Record<string, (setting: Setting) => Promise<Contender>> = {
  bare: async () => ({ use: noSession, make: async () => "none=1" }),
  "lookup-sqlite": lookupInSqlite,
  "lookup-postgres": lookupInPostgres,
  "by-hand-memory": byHandInMemory,
  "by-hand-sqlite": byHandInSqlite,
  "by-hand-postgres": byHandInPostgres,
  "ours-memory": ours,
  "ours-sqlite": ours,
  "ours-postgres": ours,
  "express-session-memory": (setting) => expressSession(setting, undefined),
  "express-session-sqlite": async (setting) => {
    const Store = here("better-sqlite3-session-store")(here("express-session"));
    return expressSession(setting, new Store({ client: sqlite(setting) }));
  },
  "express-session-postgres": async (setting) => {
    const pool = postgres(setting);
    await pool.query("DROP TABLE IF EXISTS session");
    await pool.query(readFileSync(here.resolve("connect-pg-simple/table.sql"), "utf8"));
    const Store = here("connect-pg-simple")(here("express-session"));
    return expressSession(setting, new Store({ pool, pruneSessionInterval: false }));
  },
};

const here = createRequire(import.meta.url);

function noSession(app: Express): void {
  app.use((request, _response, next) => {
    (request as unknown as { session: { data: AnySession } }).session = { data: { user: "ann", count: 0 } };
    next();
  });
}

/** A look-up as one would write it by hand: the id from the cookie, one row by its key, parsed. No expiry, no secret, no saving. */
function lookup(
  find: (id: string) => Promise<{ data: string } | undefined> | { data: string } | undefined,
): RequestHandler {
  return async (request, _response, next) => {
    const id = /(?:^|; )sid=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    const row = id === undefined ? undefined : await find(id);
    (request as unknown as { session: unknown }).session = { data: row === undefined ? {} : JSON.parse(row.data) };
    next();
  };
}

async function lookupInSqlite(setting: Setting): Promise<Contender> {
  const database = sqlite(setting);
  database.exec("CREATE TABLE bare (id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT");
  const get = database.prepare<[string], { data: string }>("SELECT data FROM bare WHERE id = ?");
  const insert = database.prepare("INSERT INTO bare VALUES (?, ?)");
  return {
    use: (app) => void app.use(lookup((id) => get.get(id))),
    async make(data) {
      const id = crypto.randomUUID();
      insert.run(id, JSON.stringify(data));
      return `sid=${id}`;
    },
  };
}

async function lookupInPostgres(setting: Setting): Promise<Contender> {
  const pool = postgres(setting);
  await pool.query("DROP TABLE IF EXISTS bare");
  await pool.query("CREATE TABLE bare (id text PRIMARY KEY, data jsonb NOT NULL)");
  const text = "SELECT data::text FROM bare WHERE id = $1";
  return {
    use: (app) =>
      void app.use(
        lookup(async (id) => (await pool.query<{ data: string }>({ name: "get", text, values: [id] })).rows[0]),
      ),
    async make(data) {
      const id = crypto.randomUUID();
      await pool.query("INSERT INTO bare VALUES ($1, $2)", [id, JSON.stringify(data)]);
      return `sid=${id}`;
    },
  };
}

interface HandRow {
  hash: Uint8Array;
  data: string;
}

/** Keeps rows by an id. */
interface HandStore {
  get(id: string): Promise<HandRow | undefined> | HandRow | undefined;
  put(id: string, hash: Uint8Array, data: string): Promise<unknown> | unknown;
}

/**
 * The least that a safe session needs, as one would write it by hand for this route: the cookie, the hash of its secret,
 * one row by its key, a comparison in constant time, the data parsed, two headers for caches. No expiry, and no saving.
 */
function byHand(store: HandStore): Contender {
  const hashOf = (secret: string) => createHash("sha256").update(secret).digest();
  return {
    use(app) {
      app.use(async (request, response, next) => {
        const [, id, secret] = /(?:^|; )sid=([\w-]{22})([\w-]{43})(?:;|$)/.exec(request.headers.cookie ?? "") ?? [];
        const row = id === undefined ? undefined : await store.get(id);
        const isOwn = row !== undefined && secret !== undefined && timingSafeEqual(row.hash, hashOf(secret));
        (request as unknown as { session: unknown }).session = { data: isOwn ? JSON.parse(row.data) : {} };
        response.setHeader("Cache-Control", "private");
        response.setHeader("Vary", "Cookie");
        next();
      });
    },
    async make(data) {
      const [id, secret] = [randomBytes(16).toString("base64url"), randomBytes(32).toString("base64url")];
      await store.put(id, hashOf(secret), JSON.stringify(data));
      return `sid=${id}${secret}`;
    },
  };
}

async function byHandInMemory(): Promise<Contender> {
  const rows = new Map<string, HandRow>();
  return byHand({ get: (id) => rows.get(id), put: (id, hash, data) => rows.set(id, { hash, data }) });
}

async function byHandInSqlite(setting: Setting): Promise<Contender> {
  const database = sqlite(setting);
  database.exec("CREATE TABLE hand (id TEXT PRIMARY KEY, hash BLOB NOT NULL, data TEXT NOT NULL) STRICT");
  const get = database.prepare<[string], HandRow>("SELECT hash, data FROM hand WHERE id = ?");
  const insert = database.prepare("INSERT INTO hand VALUES (?, ?, ?)");
  return byHand({ get: (id) => get.get(id), put: (id, hash, data) => insert.run(id, hash, data) });
}

async function byHandInPostgres(setting: Setting): Promise<Contender> {
  const pool = postgres(setting);
  await pool.query("DROP TABLE IF EXISTS hand");
  await pool.query("CREATE TABLE hand (id text PRIMARY KEY, hash bytea NOT NULL, data jsonb NOT NULL)");
  const text = "SELECT hash, data::text FROM hand WHERE id = $1";
  return byHand({
    get: async (id) => (await pool.query<HandRow>({ name: "hand", text, values: [id] })).rows[0],
    put: (id, hash, data) => pool.query("INSERT INTO hand VALUES ($1, $2, $3)", [id, hash, data]),
  });
}

async function ours({ project, folder, postgres }: Setting): Promise<Contender> {
  Object.assign(process.env, {
    SQLITE_FILE: join(folder, "sessions.db"),
    DATABASE_URL: postgres,
    SESSION_TABLE: "ours",
  });
  const load = (path: string) => import(join(project, "src", path));
  const config = (await load("config.ts")).readConfig(process.env);
  const { createDriver } = await load("store/driver.ts");
  const { Sessions } = await load("session/sessions.ts");
  const { sessionMiddleware } = await load("session/adapter.ts");
  const sessions = new Sessions({ driver: createDriver(config.store, 5000), settings: config.session });
  await sessions.ready("auto", 10, console.error);
  const request = {
    raw: {},
    method: "GET",
    url: "/",
    header: () => undefined,
    host: "localhost",
    remoteAddress: "127.0.0.1",
    isHttps: false,
  };
  return {
    use: (app) => void app.use(sessionMiddleware(sessions)),
    async make(data) {
      const session = await sessions.start(request);
      Object.assign(session.data, data);
      await session.save();
      return `session=${session.token}`;
    },
  };
}

async function expressSession(_: Setting, store: unknown): Promise<Contender> {
  const session = here("express-session");
  const { sign } = createRequire(here.resolve("express-session"))("cookie-signature");
  const { promisify } = await import("node:util");
  const kept = store ?? new session.MemoryStore();
  const middleware = session({
    secret: "bench",
    resave: false,
    saveUninitialized: false,
    store: kept,
    cookie: { maxAge: 86_400_000 },
  });
  return {
    use(app) {
      app.use(middleware);
      app.use((request, _response, next) => {
        // Its session object is the data itself.
        const own = (request as unknown as { session: AnySession & { data?: unknown } }).session;
        Object.defineProperty(own, "data", { configurable: true, enumerable: false, value: own });
        next();
      });
    },
    async make(data) {
      const id = crypto.randomUUID();
      const cookie = {
        originalMaxAge: 86_400_000,
        expires: new Date(Date.now() + 86_400_000),
        httpOnly: true,
        path: "/",
      };
      await promisify(kept.set.bind(kept))(id, { cookie, ...data });
      return `connect.sid=${encodeURIComponent(`s:${sign(id, "bench")}`)}`;
    },
  };
}

function sqlite({ project, folder }: Setting): Database.Database {
  const Sqlite = createRequire(join(project, "package.json"))("better-sqlite3") as typeof Database;
  const database = new Sqlite(join(folder, "peer.db"));
  database.pragma("journal_mode = WAL");
  return database;
}

function postgres({ project, postgres }: Setting): Pool {
  const pg = createRequire(join(project, "package.json"))("pg") as { Pool: typeof Pool };
  return new pg.Pool({ connectionString: postgres, max: 10 });
}
