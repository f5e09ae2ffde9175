// What one would write by hand for Express: a look-up by key, and the least that a safe session needs.
// Add a store's look-up here.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { RequestHandler, Response } from "express";
import { couchdb, mongodb, mysql, postgres, redis, sqlite } from "./clients.ts";
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
    const pool = mysql(setting);
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
    const rows = (await mongodb(setting)).db().collection(setting.unique);
    return {
      find: async (id) => (await rows.findOne({ _id: id }))?.data,
      put: (id, data) => rows.insertOne({ _id: id, data }),
    };
  },
  async couchdb(setting) {
    const documents = await couchdb(setting);
    return { find: async (id) => (await documents.get(id)).data, put: (id, data) => documents.put(id, { data }) };
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
  /** Replaces the text. Who has written in the meantime is overwritten, unlike with sessions. */
  set(id: string, data: string): unknown;
}

const handStores: Record<string, (setting: Setting) => Promise<HandStore>> = {
  async memory() {
    const rows = new Map<string, HandRow>();
    return {
      find: (id) => rows.get(id),
      put: (id, hash, data) => rows.set(id, { hash, data }),
      set: (id, data) => Object.assign(rows.get(id) ?? {}, { data }),
    };
  },
  async sqlite(setting) {
    const database = sqlite(setting);
    database.exec("CREATE TABLE hand (id TEXT PRIMARY KEY, hash BLOB NOT NULL, data TEXT NOT NULL) STRICT");
    const get = database.prepare("SELECT hash, data FROM hand WHERE id = ?");
    const insert = database.prepare("INSERT INTO hand VALUES (?, ?, ?)");
    const update = database.prepare("UPDATE hand SET data = ? WHERE id = ?");
    return {
      find: (id) => get.get(id),
      put: (id, hash, data) => insert.run(id, hash, data),
      set: (id, data) => update.run(data, id),
    };
  },
  async postgres(setting) {
    const pool = postgres(setting);
    const { unique } = setting;
    await pool.query(`CREATE TABLE ${unique} (id text PRIMARY KEY, hash bytea NOT NULL, data jsonb NOT NULL)`);
    const select = `SELECT hash, data::text FROM ${unique} WHERE id = $1`;
    const update = `UPDATE ${unique} SET data = $2 WHERE id = $1`;
    return {
      find: async (id) => (await pool.query({ name: "hand", text: select, values: [id] })).rows[0],
      put: (id, hash, data) => pool.query(`INSERT INTO ${unique} VALUES ($1, $2, $3)`, [id, hash, data]),
      set: (id, data) => pool.query({ name: "hand set", text: update, values: [id, data] }),
    };
  },
  async mysql(setting) {
    const pool = mysql(setting);
    const { unique } = setting;
    await pool.query(`CREATE TABLE ${unique} (id varchar(64) PRIMARY KEY, hash binary(32), data longtext NOT NULL)`);
    return {
      find: async (id) => (await pool.execute(`SELECT hash, data FROM ${unique} WHERE id = ?`, [id]))[0][0],
      put: (id, hash, data) => pool.query(`INSERT INTO ${unique} VALUES (?, ?, ?)`, [id, hash, data]),
      set: (id, data) => pool.execute(`UPDATE ${unique} SET data = ? WHERE id = ?`, [data, id]),
    };
  },
  async redis(setting) {
    const client = await redis(setting);
    const key = (id: string) => `${setting.unique}:${id}`;
    return {
      async find(id) {
        const [hash, data] = await client.hmGet(key(id), ["hash", "data"]);
        return data ? { hash: Buffer.from(hash, "base64url"), data } : undefined;
      },
      put: (id, hash, data) => client.hSet(key(id), { hash: Buffer.from(hash).toString("base64url"), data }),
      set: (id, data) => client.hSet(key(id), "data", data),
    };
  },
  async mongodb(setting) {
    const rows = (await mongodb(setting)).db().collection(setting.unique);
    return {
      async find(id) {
        const row = await rows.findOne({ _id: id });
        return row === null ? undefined : { hash: row.hash.buffer, data: row.data };
      },
      put: (id, hash, data) => rows.insertOne({ _id: id, hash: Buffer.from(hash), data }),
      set: (id, data) => rows.updateOne({ _id: id }, { $set: { data } }),
    };
  },
  async couchdb(setting) {
    const documents = await couchdb(setting);
    // No document's id may begin with an underscore.
    const at = (id: string) => `s${id}`;
    return {
      async find(id) {
        const { hash = "", data = "{}" } = await documents.get(at(id));
        return { hash: Buffer.from(hash, "base64url"), data };
      },
      put: (id, hash, data) => documents.put(at(id), { hash: Buffer.from(hash).toString("base64url"), data }),
      set: async (id, data) => documents.put(at(id), { ...(await documents.get(at(id))), data }),
    };
  },
};

/**
 * The least that a safe session needs: the cookie, the hash of its secret, one row by its key, a comparison in constant
 * time, the data parsed, two headers for caches; and for a write the whole text, stored before the response. No expiry.
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
        if (request.path === "/write") saveBefore(response, () => rows.set(id as string, JSON.stringify(data)));
      }
      response.setHeader("Cache-Control", "private");
      response.setHeader("Vary", "Cookie");
    }
    (request as unknown as { session: object }).session = data;
    next();
  };
}

function saveBefore(response: Response, save: () => unknown): void {
  const json = response.json.bind(response);
  response.json = (body) => {
    Promise.resolve(save()).then(
      () => json(body),
      (error) => response.destroy(error),
    );
    return response;
  };
}
