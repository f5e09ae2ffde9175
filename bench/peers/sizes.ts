// How many bytes a store takes, indexes included.
// Add a store here. CouchDB's and MongoDB's are missing: their stand-ins keep data in another form.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { installed } from "./clients.ts";
import type { Place } from "./places.ts";

/** Each resolves to a function that reads it, for the store `unique`. A contender's tables have that name, or begin with it. */
export const sizes: Record<string, (place: Place, unique: string) => Promise<() => Promise<number>>> = {
  async sqlite(place, unique) {
    const database = new (installed(place, "better-sqlite3"))(join(place.folder, `${unique}.db`));
    return async () => {
      database.pragma("wal_checkpoint(TRUNCATE)");
      const files = readdirSync(place.folder).filter((name) => name.startsWith(`${unique}.db`));
      return files.reduce((sum, name) => sum + statSync(join(place.folder, name)).size, 0);
    };
  },
  async postgres(place, unique) {
    const pool = new (installed(place, "pg").Pool)({ connectionString: place.url, max: 1 });
    const named = "FROM pg_class WHERE relkind = 'r' AND relname LIKE $1 || '%'";
    return async () => {
      const tables = await pool.query(`SELECT relname ${named}`, [unique]);
      for (const { relname } of tables.rows) await pool.query(`VACUUM ANALYZE "${relname}"`);
      const { rows } = await pool.query(`SELECT sum(pg_total_relation_size(oid)) AS size ${named}`, [unique]);
      return Number(rows[0].size);
    };
  },
  async mysql(place, unique) {
    const pool = installed(place, "mysql2/promise").createPool({ uri: place.url, connectionLimit: 1 });
    const named = "FROM information_schema.tables WHERE table_name LIKE concat(?, '%')";
    return async () => {
      const [tables] = await pool.query(`SELECT table_name AS name ${named}`, [unique]);
      for (const { name } of tables) await pool.query(`ANALYZE TABLE \`${name}\``);
      const [rows] = await pool.query(`SELECT sum(data_length + index_length) AS size ${named}`, [unique]);
      return Number(rows[0].size);
    };
  },
  /** Of the whole server: nobody else uses it. */
  async redis(place) {
    const client = installed(place, "redis").createClient({ url: place.url });
    await client.connect();
    return async () => Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]);
  },
};
