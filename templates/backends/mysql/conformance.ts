// How the drivers' suite opens, spoils and removes a store of this backend.
// Change it when the settings change.

import { createConnection } from "mysql2/promise";
import type { Fixture } from "../../../test/drivers/fixture.ts";
import { Environment } from "../../base/files/src/http/environment.ts";
import { createDriver } from "./files/src/store/driver.ts";
import { readStoreSettings } from "./files/src/store/settings.ts";
import { starts } from "./starts.ts";

export default {
  server: "mariadb",
  variants: ["mysql"],
  capabilities: { sharedStore: true, nativeExpiry: false, touchesOnRead: false, needsSetup: true },
  columnEdit: {
    file: "schema.sql",
    before: "  version       BIGINT",
    declarations: "  tenant VARCHAR(255) NOT NULL,\n  seats BIGINT,\n",
  },
  starts,
  environment: (url = "", unique) => ({ DATABASE_URL: url, SESSION_TABLE: unique }),
  async open(url, unique) {
    if (url === undefined) throw new Error("this backend needs a server");
    const settings = readStoreSettings(
      new Environment({ DATABASE_URL: url, SESSION_TABLE: unique, MYSQL_CONNECTIONS: "5" }),
    );
    async function run(sql: string, values: string[] = []): Promise<void> {
      const connection = await createConnection({ uri: url });
      await connection.execute(sql, values);
      await connection.end();
    }
    return {
      driver: async () => createDriver(settings, 5000),
      corrupt: (id) => run(`UPDATE \`${unique}\` SET data = '[1]' WHERE id = ?`, [id]),
      cleanUp: () => run(`DROP TABLE IF EXISTS \`${unique}\``),
    };
  },
} satisfies Fixture;
