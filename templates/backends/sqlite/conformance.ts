// How the drivers' suite opens a SQLite store: a file in a folder of its own.
// Change it when the store gets another setting.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Fixture } from "../../../test/drivers/fixture.ts";
import { createDriver } from "./files/src/store/driver.ts";

export default {
  capabilities: { sharedStore: true, nativeExpiry: false, touchesOnRead: true, needsSetup: true },
  columnEdit: {
    file: "schema.sql",
    before: "  version       INTEGER",
    declarations: "  tenant TEXT NOT NULL,\n  seats INTEGER,\n",
  },
  environment: (_, unique) => ({ SQLITE_FILE: `./data/${unique}.db` }),
  async open(_, unique) {
    const folder = mkdtempSync(join(tmpdir(), unique));
    const file = join(folder, "data", "sessions.db");
    return {
      driver: async () => createDriver({ file }, 5000),
      async corrupt(id) {
        const database = new Database(file);
        database.prepare("UPDATE sessions SET data = 'edited by hand' WHERE id = ?").run(id);
        database.close();
      },
      cleanUp: async () => rmSync(folder, { recursive: true }),
    };
  },
} satisfies Fixture;
