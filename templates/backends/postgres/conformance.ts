// How the drivers' suite opens a PostgreSQL store: a table of its own, in a schema of its own, on a running server.
// Change it when the driver gets a setting that the suite should vary.

import { Pool } from "pg";
import type { Fixture } from "../../../test/drivers/fixture.ts";
import { Environment } from "../../base/files/src/http/environment.ts";
import { createDriver } from "./files/src/store/driver.ts";
import { readStoreSettings } from "./files/src/store/settings.ts";
import { starts } from "./starts.ts";

export default {
  server: "postgres",
  variants: ["postgres15", "pgbouncer", "pgbouncer-newest"],
  capabilities: { sharedStore: true, nativeExpiry: false, touchesOnRead: true, needsSetup: true },
  columnEdit: {
    file: "schema.sql",
    before: "  version       bigint",
    declarations: "  tenant text NOT NULL,\n  seats bigint,\n",
  },
  starts,
  environment: (url = "", unique) => ({ DATABASE_URL: url, SESSION_TABLE: unique }),
  async open(url = "", unique) {
    const table = `${unique}.Sessions`;
    const settings = readStoreSettings(
      new Environment({ DATABASE_URL: url, SESSION_TABLE: table, PG_CONNECTIONS: "6" }),
    );
    const pool = new Pool({ connectionString: url, max: 1 });
    await pool.query(`CREATE SCHEMA "${unique}"`);
    return {
      driver: async () => createDriver(settings, 5000),
      async corrupt(id) {
        await pool.query(`UPDATE "${unique}"."Sessions" SET secret_hash = '\\x0102' WHERE id = $1`, [id]);
      },
      async cleanUp() {
        await pool.query(`DROP SCHEMA "${unique}" CASCADE`);
        await pool.end();
      },
    };
  },
} satisfies Fixture;
