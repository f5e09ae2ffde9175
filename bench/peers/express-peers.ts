// The packages that people use with Express otherwise: express-session with a package for its store, and better-auth.
// Add a store's package here.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { RequestHandler } from "express";
import { byHand, lookup } from "./by-hand.ts";
import { installed, postgres, redis, sqlite } from "./clients.ts";
import { peerPackage, type Setting } from "./contender.ts";

const here = createRequire(import.meta.url);

/** The middleware of the contender, which puts `session` onto requests. */
export async function expressPeer(setting: Setting): Promise<RequestHandler> {
  const { who } = setting;
  if (who === "lookup") return lookup(setting);
  if (who === "by hand") return byHand(setting);
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
  async "couchdb-expression"(setting, session) {
    const { hostname, port, username, password } = new URL(setting.url);
    const account = { hostname, port, username, password: decodeURIComponent(password) };
    const store = new (here("couchdb-expression")(session))({ ...account, database: setting.unique });
    await store.initializeDatabase();
    return store;
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
