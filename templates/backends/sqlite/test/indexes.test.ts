// Which index SQLite uses for what the driver asks of it: no statement of a request reads more than its own rows.
// Change it when the driver gets a statement or the schema an index.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test, vi } from "vitest";
import type { SessionDriver } from "../../../../runtime/src/session/contract.ts";
import { createRow, newHash, START, set } from "../../../../test/drivers/rows.ts";
import { createDriver } from "../files/src/store/driver.ts";

/** The plan of every statement that the driver prepares for `work`, in SQLite's words. */
async function plansOf(work: (driver: SessionDriver, id: string) => unknown): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-indexes-"));
  const file = join(folder, "sessions.db");
  const other = createDriver({ file }, 5000);
  await other.setup();
  const { id } = await createRow(other, { userid: "ann" });
  // It has prepared nothing yet.
  const driver = createDriver({ file }, 5000);
  const prepare = vi.spyOn(Database.prototype, "prepare");
  try {
    await work(driver, id);
    const statements = prepare.mock.calls.map(([sql]) => sql);
    const database = new Database(file);
    database.function("patched", (data: string) => data);
    const plans = statements.flatMap((sql) => {
      const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(sql.split("?").length - 1).fill(null));
      return steps.map((step) => (step as { detail: string }).detail);
    });
    database.close();
    return plans;
  } finally {
    prepare.mockRestore();
    await Promise.all([driver.close(), other.close()]);
    rmSync(folder, { recursive: true });
  }
}

const touch = { lifetime: 1000, every: 0, secretHash: newHash() };

test.each<[what: string, index: string, (driver: SessionDriver, id: string) => unknown]>([
  ["a look-up", "sqlite_autoindex_sessions_1 (id=?)", (driver, id) => driver.read(id, { now: START })],
  ["a touch", "sqlite_autoindex_sessions_1 (id=?)", (driver, id) => driver.read(id, { now: START + 60, touch })],
  [
    "a change",
    "sqlite_autoindex_sessions_1 (id=?)",
    (driver, id) => driver.change(id, { now: START, set: set({ key: 1 }), ifVersion: 9 }),
  ],
  ["an end", "sqlite_autoindex_sessions_1 (id=?)", (driver, id) => driver.end(id)],
  ["a user's list", "sessions_by_user (userid=?)", (driver) => driver.listByUser("ann", START, 10)],
  ["a user's end", "sessions_by_user (userid=?)", (driver) => driver.endByUser("ann", 10, "other")],
  ["a purge", "sessions_by_expiry (expires<?)", (driver) => driver.purge(START, 10)],
])("S15, S8: %s uses the index %s", async (_, index, work) => {
  const plans = await plansOf(work);
  expect(plans.length).toBeGreaterThan(0);
  expect(plans.filter((plan) => plan.includes(index))).not.toEqual([]);
  expect(plans.filter((plan) => /\bSCAN\b|TEMP B-TREE/.test(plan))).toEqual([]);
});
