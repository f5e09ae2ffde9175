// Which index the server uses for what the driver asks of it: no statement of a request reads more than its own rows.
// Change it when the driver gets a statement or the schema an index.

import { randomBytes } from "node:crypto";
import { createPool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { SessionDriver } from "../../../../runtime/src/session/contract.ts";
import { createRow, newHash, START, set } from "../../../../test/drivers/rows.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings } from "../files/src/store/settings.ts";

const table = `indexes_${randomBytes(4).toString("hex")}`;
const mariadb = await server("mariadb");
const pool = createPool({ uri: mariadb?.url ?? "mysql://unused", connectionLimit: 1 });
let driver: SessionDriver;
let admin: PoolConnection;
let id: string;

beforeAll(async () => {
  if (mariadb === undefined) return;
  driver = createDriver(readStoreSettings(new Environment({ DATABASE_URL: mariadb.url, SESSION_TABLE: table })), 5000);
  await driver.setup();
  admin = await pool.getConnection();
  // As many rows as it takes for the optimizer to prefer an index.
  await admin.query(`INSERT INTO ${table}
    SELECT n, REPEAT('x', 32), CONCAT('user', n % 5000), ${START} - n, ${START}, 0, 3600, ${START} + n, '', '', '{}', 1
    FROM (WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 900)
      SELECT one.n + 900 * (other.n - 1) AS n FROM numbers one, numbers other WHERE other.n <= 20) all_numbers`);
  await admin.query(`ANALYZE TABLE ${table}`);
  ({ id } = await createRow(driver, { userid: "ann" }));
});

afterAll(async () => {
  if (mariadb !== undefined) {
    await driver.close();
    await admin.query(`DROP TABLE ${table}`);
  }
  await pool.end();
});

interface PlanStep extends RowDataPacket {
  key: string | null;
  rows: string | null;
  Extra: string | null;
}

/** The plan of every statement that the driver sends for `work`. */
async function plansOf(work: () => unknown): Promise<PlanStep[]> {
  const query = vi.spyOn(Object.getPrototypeOf(admin) as PoolConnection, "query");
  let statements: string[];
  try {
    await work();
    statements = query.mock.calls.map(([statement]) => (statement as unknown as { sql: string }).sql);
  } finally {
    query.mockRestore();
  }
  const plans: PlanStep[] = [];
  for (const sql of statements) {
    if (!/^(?:SELECT|UPDATE|DELETE)/.test(sql)) continue;
    plans.push(...(await admin.query<PlanStep[]>(`EXPLAIN ${sql}`))[0]);
  }
  return plans;
}

const touch = { lifetime: 1000, every: 0, secretHash: newHash() };

test.each<[what: string, keys: string[], rows: number, work: () => unknown]>([
  ["a look-up", ["PRIMARY"], 1, () => driver.read(id, { now: START, touch })],
  ["a change", ["PRIMARY"], 1, () => driver.change(id, { now: START, set: set({ key: 1 }), ifVersion: 9 })],
  ["an end", ["PRIMARY"], 1, () => driver.end(id)],
  ["a user's list", ["user"], 4, () => driver.listByUser("user7", START, 10)],
  ["a user's end", ["user", "PRIMARY"], 4, () => driver.endByUser("user7", 1, "other")],
  ["a purge", ["expiry"], 100, () => driver.purge(START + 100, 10)],
])("S15, S8: %s uses the index %s", async (_, keys, rows, work) => {
  if (mariadb === undefined) return;
  const steps = await plansOf(work);
  // An ended session's row isn't there any more.
  const found = steps.filter(({ key }) => key !== null);
  expect(steps.length).toBeGreaterThan(0);
  for (const step of found) {
    expect(keys).toContain(step.key);
    expect(Number(step.rows)).toBeLessThanOrEqual(rows);
    expect(step.Extra ?? "").not.toMatch(/filesort|temporary/);
  }
  for (const step of steps) if (step.key === null) expect(step.Extra).toMatch(/impossible|no matching/i);
});
