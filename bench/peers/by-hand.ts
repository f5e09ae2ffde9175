// What one would write by hand for Express: a look-up by key, and the least that a safe session needs.
// Add a store's look-up here.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { installed, postgres, redis, sqlite } from "./clients.ts";
import { DATA, type Setting } from "./contender.ts";

/** A table of ids and JSON texts. */
interface Lookup {
  find(id: string): Promise<string | undefined> | string | undefined;
  put(id: string, data: string): unknown;
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

/** The id from the cookie, one row by its key, parsed. No expiry, no secret, no saving. */
export async function lookup(setting: Setting): Promise<RequestHandler> {
  const rows = await lookups[setting.backend]?.(setting);
  if (rows === undefined) throw new Error(`There is no look-up for ${setting.backend}.`);
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

interface HandRow {
  hash: Uint8Array;
  data: string;
}

/** A table of ids, hashes of secrets and JSON texts. */
interface HandStore {
  find(id: string): Promise<HandRow | undefined> | HandRow | undefined;
  put(id: string, hash: Uint8Array, data: string): unknown;
}

const handStores: Record<string, (setting: Setting) => Promise<HandStore>> = {
  async memory() {
    const rows = new Map<string, HandRow>();
    return { find: (id) => rows.get(id), put: (id, hash, data) => rows.set(id, { hash, data }) };
  },
  async sqlite(setting) {
    const database = sqlite(setting);
    database.exec("CREATE TABLE hand (id TEXT PRIMARY KEY, hash BLOB NOT NULL, data TEXT NOT NULL) STRICT");
    const get = database.prepare("SELECT hash, data FROM hand WHERE id = ?");
    const insert = database.prepare("INSERT INTO hand VALUES (?, ?, ?)");
    return { find: (id) => get.get(id), put: (id, hash, data) => insert.run(id, hash, data) };
  },
  async postgres(setting) {
    const pool = postgres(setting);
    const { unique } = setting;
    await pool.query(`CREATE TABLE ${unique} (id text PRIMARY KEY, hash bytea NOT NULL, data jsonb NOT NULL)`);
    const text = `SELECT hash, data::text FROM ${unique} WHERE id = $1`;
    return {
      find: async (id) => (await pool.query({ name: "hand", text, values: [id] })).rows[0],
      put: (id, hash, data) => pool.query(`INSERT INTO ${unique} VALUES ($1, $2, $3)`, [id, hash, data]),
    };
  },
};

/**
 * The least that a safe session needs to be read: the cookie, the hash of its secret, one row by its key, a comparison in
 * constant time, the data parsed, two headers for caches. No expiry, and no saving.
 */
export async function byHand(setting: Setting): Promise<RequestHandler> {
  const rows = await handStores[setting.backend]?.(setting);
  if (rows === undefined) throw new Error(`Nothing is written by hand for ${setting.backend}.`);
  const hashOf = (secret: string) => createHash("sha256").update(secret).digest();
  return async (request, response, next) => {
    let data = {};
    if (request.path === "/make") {
      const [id, secret] = [randomBytes(16).toString("base64url"), randomBytes(32).toString("base64url")];
      await rows.put(id, hashOf(secret), JSON.stringify(DATA));
      response.setHeader("set-cookie", `sid=${id}${secret}`);
    } else {
      const [, id, secret] = /(?:^|; )sid=([\w-]{22})([\w-]{43})(?:;|$)/.exec(request.headers.cookie ?? "") ?? [];
      const row = id === undefined ? undefined : await rows.find(id);
      if (row !== undefined && secret !== undefined && timingSafeEqual(row.hash, hashOf(secret))) {
        data = JSON.parse(row.data);
      }
      response.setHeader("Cache-Control", "private");
      response.setHeader("Vary", "Cookie");
    }
    (request as unknown as { session: object }).session = data;
    next();
  };
}
