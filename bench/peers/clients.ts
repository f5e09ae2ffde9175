// The stores' clients as all contenders use them: those that our project depends on, with the settings that our drivers have.
// Change it when a driver gets other settings.

import { createRequire } from "node:module";
import { join } from "node:path";
import type { Setting } from "./contender.ts";

// biome-ignore lint/suspicious/noExplicitAny: packages of the project, which this folder has no types of.
export function installed({ project }: Pick<Setting, "project">, name: string): any {
  return createRequire(join(project, "package.json"))(name);
}

export function sqlite(setting: Setting) {
  const database = new (installed(setting, "better-sqlite3"))(join(setting.folder, `${setting.unique}.db`));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  return database;
}

export function postgres(setting: Setting) {
  return new (installed(setting, "pg").Pool)({ connectionString: setting.url, max: 10 });
}

export async function redis(setting: Setting) {
  const client = installed(setting, "redis").createClient({ url: setting.url });
  await client.connect();
  return client;
}

export function mysql(setting: Setting) {
  return installed(setting, "mysql2/promise").createPool({ uri: setting.url, connectionLimit: 10 });
}

export async function mongodb(setting: Setting) {
  return await new (installed(setting, "mongodb").MongoClient)(setting.url).connect();
}

interface Document {
  _rev?: string;
  hash?: string;
  data?: string;
}

/** A database of its own, over HTTP. */
export async function couchdb({ url, unique }: Setting) {
  const { username, password, origin } = new URL(url);
  const headers = { authorization: `Basic ${btoa(`${username}:${password}`)}`, "content-type": "application/json" };
  const at = (id: string) => `${origin}/${unique}/${id}`;
  const put = async (id: string, document?: Document) => {
    const init = { method: "PUT", headers, ...(document !== undefined && { body: JSON.stringify(document) }) };
    const response = await fetch(at(id), init);
    const text = await response.text();
    // 409: sessions by hand have nothing that settles whose write counts.
    if (!response.ok && response.status !== 409) throw new Error(`${response.status} ${text}`);
  };
  await put("");
  return { get: async (id: string) => (await (await fetch(at(id), { headers })).json()) as Document, put };
}
