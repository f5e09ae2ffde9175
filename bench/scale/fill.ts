// Fills a store with many sessions, in the way that is fast for it, into the table that our driver has set up.
// Add a store here.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionDriver, SessionRow } from "../../runtime/src/session/contract.ts";
import { newToken } from "../../runtime/src/session/token.ts";
import { installed } from "../peers/clients.ts";
import { environment, type Place } from "../peers/places.ts";
import { sizes } from "../peers/sizes.ts";

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
  close(): Promise<unknown> | unknown;
}

export async function fill({ place, unique, rows, halfExpired }: FillOptions): Promise<Filled> {
  Object.assign(process.env, environment(place, unique));
  const load = (path: string) => import(join(place.project, "src", path));
  const config = (await load("config.ts")).readConfig(process.env);
  const driver: SessionDriver = (await load("store/driver.ts")).createDriver(config.store, 60_000);
  await driver.setup();
  const filler = await fillers[place.backend]?.(place, unique, driver);
  const size = await sizes[place.backend]?.(place, unique);
  if (filler === undefined || size === undefined) throw new Error(`There is no way to fill ${place.backend}.`);
  const empty = await size();
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
  filled.bytesPerSession = Math.round(((await size()) - empty) / rows);
  await filler.close();
  await driver.close();
  return filled;
}

const fillers: Record<string, (place: Place, unique: string, driver: SessionDriver) => Promise<Filler>> = {
  async sqlite(place, unique) {
    const database = new (installed(place, "better-sqlite3"))(join(place.folder, `${unique}.db`));
    database.pragma("synchronous = OFF");
    const insert = database.prepare(`INSERT INTO sessions (${COLUMNS}) VALUES (${Array(12).fill("?")})`);
    return {
      insert: database.transaction((rows: SessionRow[]) => {
        for (const row of rows) insert.run(valuesOf(row));
      }),
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
      close: () => client.end(),
    };
  },
  async mysql(place, unique) {
    const client = await installed(place, "mysql2/promise").createConnection({ uri: place.url });
    // As a server of its own would have, which keeps what is read in memory.
    await client.query("SET GLOBAL innodb_buffer_pool_size = 2 * 1024 * 1024 * 1024");
    return {
      insert: (rows) => client.query(`INSERT INTO \`${unique}\` (${COLUMNS}) VALUES ?`, [rows.map(valuesOf)]),
      close: () => client.end(),
    };
  },
  // The client sends what is asked for at the same time in one go.
  redis: async (_place, _unique, driver) => ({
    insert: (rows) => Promise.all(rows.map((row) => driver.create(row))),
    close: () => undefined,
  }),
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

/** Lets Redis remove these sessions by itself, all of them at one moment. Resolves to how many, when they are gone. */
export async function expireInRedis(
  place: Place,
  unique: string,
  ids: readonly string[],
  beforeMoment: () => void,
): Promise<number> {
  const client = installed(place, "redis").createClient({ url: place.url });
  await client.connect();
  // Telling Redis takes a while.
  const moment = Date.now() + 5000 + ids.length / 20;
  let expiring = 0;
  for (let start = 0; start < ids.length; start += BATCH) {
    const batch = ids.slice(start, start + BATCH);
    // Those that have been ended in the meantime are not there.
    const found = await Promise.all(batch.map((id) => client.pExpireAt(`${unique}:id:${id}`, moment)));
    expiring += found.filter((isThere) => isThere === 1).length;
  }
  const left = (await client.dbSize()) - expiring;
  await sleep(moment - Date.now() - 1000);
  beforeMoment();
  while ((await client.dbSize()) > left) await sleep(100);
  await client.close();
  return expiring;
}
