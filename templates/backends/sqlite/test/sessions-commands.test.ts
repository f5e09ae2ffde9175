// `npm run sessions` on a store with a row that was spoilt by hand: nothing that can be read is left out.
// Change it when a command reads sessions in another way.

import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { createRows, newRow } from "../../../../test/drivers/rows.ts";
import { assemble } from "../../../../test/http/assemble.ts";
import { createDriver } from "../files/src/store/driver.ts";

test("P7, F5: list shows every session that can be read, however many, whatever lies between them", async () => {
  const folder = await assemble({ framework: "node", backend: "sqlite" }, "sessions-commands");
  await mkdir(join(folder, "data"), { recursive: true });
  const file = join(folder, "data", "sessions.db");
  const driver = createDriver({ file }, 5000);
  await driver.setup();
  const rows = Array.from({ length: 1200 }, () => newRow());
  await createRows(driver, rows);
  await driver.close();
  const [spoilt, ...whole] = rows.map(({ id }) => id);
  const database = new Database(file);
  database.prepare("UPDATE sessions SET data = 'edited by hand', idle = -1 WHERE id = ?").run(spoilt);
  database.close();
  const list = promisify(execFile)(process.execPath, ["src/cli/sessions.ts", "list", "--json"], {
    cwd: folder,
    maxBuffer: 10_000_000,
  });
  const listed = JSON.parse((await list).stdout) as { id: string }[];
  expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(whole));
});
