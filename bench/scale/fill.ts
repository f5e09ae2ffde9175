// Fills a store with many sessions, in the way that is fast for it, into the table that our driver has set up.
// Add a store here, with what tells how many bytes its sessions take.

import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { SessionDriver, SessionRow } from "../../runtime/src/session/contract.ts";
import { newToken } from "../../runtime/src/session/token.ts";
import type { Place } from "../peers/places.ts";
import { environment } from "../peers/places.ts";

export interface Filled {
  /** The Cookie headers of live sessions from all over the store. */
  cookies: string[];
  bytesPerSession: number;
  /** The ids of the sessions that expire first. */
  expiring: string[];
}

export interface FillOptions {
  place: Place;
  /** The name of the table, file or prefix. */
  unique: string;
  rows: number;
  /** Whether every other row has expired already. */
  halfExpired: boolean;
}

const BATCH = 2000;
/** Cookies that are kept for reading. */
const KEPT = 2000;
const HOUR = 3600;
/** A user's id, a language and a cart of three lines: about 300 bytes. */
const DATA = JSON.stringify({
  user: "ann",
  count: 0,
  language: "en",
  cart: ["one", "two", "three"].map((name) => ({
    sku: `product-number-${name}`,
    quantity: 2,
    price: 1999,
    currency: "EUR",
  })),
});
const USERAGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** The columns, in the order of `valuesOf`. */
const COLUMNS =
  "id, secret_hash, userid, created, updated, authenticated, idle, expires, ipaddress, useragent, data, version";

type Insert = (rows: SessionRow[]) => Promise<unknown> | unknown;

interface Filler {
  insert: Insert;
  /** All that the sessions take, in bytes. */
  size(): Promise<number>;
  close(): Promise<unknown> | unknown;
}

export async function fill({ place, unique, rows, halfExpired }: FillOptions): Promise<Filled> {
  Object.assign(process.env, environment(place, unique));
  const load = (path: string) => import(join(place.project, "src", path));
  const config = (await load("config.ts")).readConfig(process.env);
  const driver: SessionDriver = (await load("store/driver.ts")).createDriver(config.store, 60_000);
  await driver.setup();
  const filler = await fillers[place.backend]?.(place, unique, driver);
  if (filler === undefined) throw new Error(`There is no way to fill ${place.backend}.`);
  const empty = await filler.size();
  const now = Math.floor(Date.now() / 1000);
  const filled: Filled = { cookies: [], bytesPerSession: 0, expiring: [] };
  const every = Math.max(2, 2 * Math.floor(rows / KEPT / 2));
  for (let start = 0; start < rows; start += BATCH) {
    const batch: SessionRow[] = [];
    for (let index = start; index < Math.min(start + BATCH, rows); index++) {
      const { text, id, secretHash } = newToken();
      const isExpiring = index % 2 === 1;
      if (index % every === 0) filled.cookies.push(`session=${text}`);
      if (isExpiring) filled.expiring.push(id);
      // In the order in which they were made, as in life; what has expired is the older half.
      const age = isExpiring && halfExpired ? 3 * HOUR - Math.floor((index / rows) * HOUR) : 0;
      const times = {
        created: now - age,
        updated: now - age,
        authenticated: 0,
        idle: 2 * HOUR,
        expires: now - age + 2 * HOUR,
      };
      if (isExpiring && halfExpired) times.expires = Math.min(times.expires, now - 1);
      const userid = index % 3 === 0 ? null : `user${index % Math.ceil(rows / 3)}`;
      const client = { ipaddress: "203.0.113.7", useragent: USERAGENT, columns: {} };
      batch.push({ id, secretHash, userid, ...times, ...client, data: DATA, version: 1 });
    }
    // A clustered index takes rows faster in its order.
    await filler.insert(batch.sort((one, other) => (one.id < other.id ? -1 : 1)));
  }
  filled.bytesPerSession = Math.round(((await filler.size()) - empty) / rows);
  await filler.close();
  await driver.close();
  return filled;
}

const fillers: Record<string, (place: Place, unique: string, driver: SessionDriver) => Promise<Filler>> = {
  async sqlite(place, unique) {
    const file = join(place.folder, `${unique}.db`);
    const database = new (installed(place, "better-sqlite3"))(file);
    database.pragma("synchronous = OFF");
    const insert = database.prepare(`INSERT INTO sessions (${COLUMNS}) VALUES (${Array(12).fill("?")})`);
    return {
      insert: database.transaction((rows: SessionRow[]) => {
        for (const row of rows) insert.run(valuesOf(row));
      }),
      size: async () => {
        database.pragma("wal_checkpoint(TRUNCATE)");
        return statSync(file).size;
      },
      close: () => database.close(),
    };
  },
  async postgres(place, unique) {
    const client = new (installed(place, "pg").Client)({ connectionString: place.url });
    await client.connect();
    const types = ["text", "bytea", "text", ...Array(5).fill("bigint"), "text", "text", "jsonb", "bigint"];
    const sql = `INSERT INTO "${unique}" (${COLUMNS}) SELECT * FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`)})`;
    return {
      insert: (rows) => {
        const columns = rows.map(valuesOf);
        return client.query({
          name: "fill",
          text: sql,
          values: types.map((_, index) => columns.map((row) => row[index])),
        });
      },
      size: async () => {
        await client.query(`VACUUM ANALYZE "${unique}"`);
        const { rows } = await client.query(`SELECT pg_total_relation_size('"${unique}"') AS size`);
        return Number(rows[0].size);
      },
      close: () => client.end(),
    };
  },
  async mysql(place, unique) {
    const client = await installed(place, "mysql2/promise").createConnection({ uri: place.url });
    // As a server of its own would have, which keeps what is read in memory.
    await client.query("SET GLOBAL innodb_buffer_pool_size = 2 * 1024 * 1024 * 1024");
    return {
      insert: (rows) => client.query(`INSERT INTO \`${unique}\` (${COLUMNS}) VALUES ?`, [rows.map(valuesOf)]),
      size: async () => {
        await client.query(`ANALYZE TABLE \`${unique}\``);
        const sql = "SELECT data_length + index_length AS size FROM information_schema.tables WHERE table_name = ?";
        return Number((await client.query(sql, [unique]))[0][0].size);
      },
      close: () => client.end(),
    };
  },
  async redis(place, _unique, driver) {
    const client = installed(place, "redis").createClient({ url: place.url });
    await client.connect();
    return {
      // The client sends what is asked for at the same time in one go.
      insert: (rows) => Promise.all(rows.map((row) => driver.create(row))),
      size: async () => Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]),
      close: () => client.close(),
    };
  },
};

function valuesOf(row: SessionRow): unknown[] {
  const {
    id,
    secretHash,
    userid,
    created,
    updated,
    authenticated,
    idle,
    expires,
    ipaddress,
    useragent,
    data,
    version,
  } = row;
  return [id, secretHash, userid, created, updated, authenticated, idle, expires, ipaddress, useragent, data, version];
}

/** Gives all of them the same moment to expire, as milliseconds since 1970. */
export async function expireInRedis(
  place: Place,
  unique: string,
  ids: readonly string[],
  moment: number,
): Promise<void> {
  const client = installed(place, "redis").createClient({ url: place.url });
  await client.connect();
  for (let start = 0; start < ids.length; start += BATCH) {
    await Promise.all(ids.slice(start, start + BATCH).map((id) => client.pExpireAt(`${unique}:id:${id}`, moment)));
  }
  await client.close();
}

// biome-ignore lint/suspicious/noExplicitAny: packages of the project, which this folder has no types of.
function installed({ project }: Place, name: string): any {
  return createRequire(join(project, "package.json"))(name);
}
