// What people use with Express otherwise: a look-up written by hand, express-session with a store's package, better-auth.
// Add a store's look-up and package here.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { RequestHandler } from "express";
import { DATA, peerPackage, type Setting } from "./contender.ts";

const here = createRequire(import.meta.url);

/** The middleware of the contender, which puts `session` onto requests. */
export async function expressPeer(setting: Setting): Promise<RequestHandler> {
  const { who, backend } = setting;
  if (who === "lookup") return lookup(await lookups[backend]?.(setting));
  if (who === "better-auth") return betterAuth(setting);
  const session = here("express-session");
  const store = await packages[who]?.(setting, session);
  if (store === undefined && who !== "express-session") throw new Error(`There is no contender ${who}.`);
  return session({
    secret: "a secret",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 86_400_000 },
    ...(store !== undefined && { store }),
  });
}

/** A table of ids and JSON texts. */
interface Lookup {
  find(id: string): Promise<string | undefined> | string | undefined;
  put(id: string, data: string): unknown;
}

/** As one would write it by hand: the id from the cookie, one row by its key, parsed. No expiry, no secret, no saving. */
function lookup(rows: Lookup | undefined): RequestHandler {
  if (rows === undefined) throw new Error("There is no look-up for this store.");
  return async (request, response, next) => {
    let data = {};
    if (request.path === "/make") {
      const id = crypto.randomUUID();
      await rows.put(id, JSON.stringify(DATA));
      response.setHeader("set-cookie", `sid=${id}`);
    } else {
      const id = /(?:^|; )sid=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
      const text = id === undefined ? undefined : await rows.find(id);
      if (text !== undefined) data = JSON.parse(text);
    }
    (request as unknown as { session: object }).session = data;
    next();
  };
}

const lookups: Record<string, (setting: Setting) => Promise<Lookup>> = {
  async memory() {
    const rows = new Map<string, string>();
    return { find: (id) => rows.get(id), put: (id, data) => rows.set(id, data) };
  },
  async sqlite(setting) {
    const database = sqlite(setting);
    database.exec("CREATE TABLE bare (id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT");
    const get = database.prepare("SELECT data FROM bare WHERE id = ?").pluck();
    const insert = database.prepare("INSERT INTO bare VALUES (?, ?)");
    return { find: (id) => get.get(id), put: (id, data) => insert.run(id, data) };
  },
  async postgres(setting) {
    const pool = postgres(setting);
    await pool.query(`CREATE TABLE ${setting.unique} (id text PRIMARY KEY, data jsonb NOT NULL)`);
    const text = `SELECT data::text FROM ${setting.unique} WHERE id = $1`;
    return {
      find: async (id) => (await pool.query({ name: "get", text, values: [id] })).rows[0]?.data,
      put: (id, data) => pool.query(`INSERT INTO ${setting.unique} VALUES ($1, $2)`, [id, data]),
    };
  },
  async mysql(setting) {
    const pool = installed(setting, "mysql2/promise").createPool({ uri: setting.url, connectionLimit: 10 });
    await pool.query(`CREATE TABLE ${setting.unique} (id varchar(64) PRIMARY KEY, data longtext NOT NULL)`);
    const sql = `SELECT data FROM ${setting.unique} WHERE id = ?`;
    return {
      find: async (id) => (await pool.execute(sql, [id]))[0][0]?.data,
      put: (id, data) => pool.query(`INSERT INTO ${setting.unique} VALUES (?, ?)`, [id, data]),
    };
  },
  async redis(setting) {
    const client = await redis(setting);
    return {
      find: async (id) => (await client.get(`${setting.unique}:${id}`)) ?? undefined,
      put: (id, data) => client.set(`${setting.unique}:${id}`, data),
    };
  },
  async mongodb(setting) {
    const client = await new (installed(setting, "mongodb").MongoClient)(setting.url).connect();
    const rows = client.db().collection(setting.unique);
    return {
      find: async (id) => (await rows.findOne({ _id: id }))?.data,
      put: (id, data) => rows.insertOne({ _id: id, data }),
    };
  },
  async couchdb(setting) {
    const { username, password, origin } = new URL(setting.url);
    const headers = { authorization: `Basic ${btoa(`${username}:${password}`)}`, "content-type": "application/json" };
    const at = (id: string) => `${origin}/${setting.unique}/${id}`;
    await fetch(at(""), { method: "PUT", headers });
    return {
      find: async (id) => ((await (await fetch(at(id), { headers })).json()) as { data?: string }).data,
      put: async (id, data) => (await fetch(at(id), { method: "PUT", headers, body: JSON.stringify({ data }) })).text(),
    };
  },
};

/** The stores of express-session, by their package. */
const packages: Record<string, (setting: Setting, session: unknown) => Promise<unknown>> = {
  async "better-sqlite3-session-store"(setting, session) {
    return new (here("better-sqlite3-session-store")(session))({ client: sqlite(setting) });
  },
  async "connect-pg-simple"(setting, session) {
    const pool = postgres(setting);
    const table = readFileSync(here.resolve("connect-pg-simple/table.sql"), "utf8");
    await pool.query(table.replaceAll(/"(session(?:_pkey)?|IDX_session_expire)"/g, `"${setting.unique}_$1"`));
    const tableName = `${setting.unique}_session`;
    return new (here("connect-pg-simple")(session))({ pool, tableName, pruneSessionInterval: false });
  },
  async "express-mysql-session"(setting, session) {
    const { hostname, port, username, password, pathname } = new URL(setting.url);
    const account = { user: username, password: decodeURIComponent(password), database: pathname.slice(1) };
    const schema = { tableName: `${setting.unique}_session` };
    const options = {
      host: hostname,
      port: Number(port),
      ...account,
      connectionLimit: 10,
      clearExpired: false,
      schema,
    };
    const store = new (here("express-mysql-session")(session))(options);
    await store.onReady();
    return store;
  },
  async "connect-redis"(setting) {
    const { RedisStore } = await peerPackage("connect-redis");
    return new RedisStore({ client: await redis(setting), prefix: `${setting.unique}:` });
  },
  async "connect-mongo"(setting) {
    const MongoStore = here("connect-mongo").default;
    return MongoStore.create({
      mongoUrl: setting.url,
      collectionName: `${setting.unique}_session`,
      autoRemove: "disabled",
    });
  },
};

/** Its sessions hold no data but the user's id, in a table of their own beside the one of users. */
async function betterAuth(setting: Setting): Promise<RequestHandler> {
  const { betterAuth: create } = await peerPackage("better-auth");
  const { fromNodeHeaders } = await peerPackage("better-auth/node");
  const { getMigrations } = await peerPackage("better-auth/db/migration");
  const database = setting.backend === "postgres" ? await inSchema(setting) : sqlite(setting);
  const options = {
    database,
    secret: "a secret of at least thirty-two characters",
    baseURL: "http://127.0.0.1",
    logger: { disabled: true },
    rateLimit: { enabled: false },
    // Sessions are measured, not the hashing of passwords.
    emailAndPassword: {
      enabled: true,
      password: { hash: async (password: string) => password, verify: async () => true },
    },
  };
  await (await getMigrations(options)).runMigrations();
  const auth = create(options);
  return async (request, response, next) => {
    if (request.path === "/make") {
      const body = { name: "Ann", email: `${crypto.randomUUID()}@example.com`, password: "a long password" };
      const signedUp = await auth.api.signUpEmail({ body, asResponse: true });
      response.setHeader("set-cookie", signedUp.headers.getSetCookie());
      (request as unknown as { session: object }).session = {};
    } else {
      const found = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
      (request as unknown as { session: object }).session = { user: found?.user.name };
    }
    next();
  };
}

/** Its tables have names that contenders would share otherwise. */
async function inSchema(setting: Setting) {
  const { Pool } = installed(setting, "pg");
  const pool = postgres(setting);
  await pool.query(`CREATE SCHEMA ${setting.unique}`);
  await pool.end();
  return new Pool({ connectionString: setting.url, max: 10, options: `-c search_path=${setting.unique}` });
}

// biome-ignore lint/suspicious/noExplicitAny: packages of the project, which this folder has no types of.
function installed({ project }: Setting, name: string): any {
  return createRequire(join(project, "package.json"))(name);
}

function sqlite(setting: Setting) {
  const database = new (installed(setting, "better-sqlite3"))(join(setting.folder, `${setting.unique}.db`));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  return database;
}

function postgres(setting: Setting) {
  return new (installed(setting, "pg").Pool)({ connectionString: setting.url, max: 10 });
}

async function redis(setting: Setting) {
  const client = installed(setting, "redis").createClient({ url: setting.url });
  await client.connect();
  return client;
}
