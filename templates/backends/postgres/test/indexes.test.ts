// Which index PostgreSQL uses for what the driver asks of it: no statement of a request reads more than its own rows.
// Change it when the driver gets a statement or the schema an index.

import { randomBytes } from "node:crypto";
import { Client, type QueryConfig } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { SessionDriver } from "../../../../runtime/src/session/contract.ts";
import { createRow, newHash, START, set } from "../../../../test/drivers/rows.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings } from "../files/src/store/settings.ts";

const table = `indexes_${randomBytes(4).toString("hex")}`;
const postgres = await server("postgres");
const admin = new Client({ connectionString: postgres?.url });
let driver: SessionDriver;
let id: string;

beforeAll(async () => {
  if (postgres === undefined) return;
  driver = createDriver(readStoreSettings(new Environment({ DATABASE_URL: postgres.url, SESSION_TABLE: table })), 5000);
  await driver.setup();
  await admin.connect();
  // As many rows as it takes for the planner to prefer an index.
  await admin.query(`INSERT INTO ${table}
    SELECT n, '\\x00', 'user' || n % 5000, ${START} - n, ${START}, 0, 3600, ${START} + n % 100000, '', '', '{}', 1
    FROM generate_series(1, 20000) n`);
  await admin.query(`ANALYZE ${table}`);
  ({ id } = await createRow(driver, { userid: "ann" }));
});

afterAll(async () => {
  if (postgres === undefined) return;
  await driver.close();
  await admin.query(`DROP TABLE ${table}`);
  await admin.end();
});

/** The plan of every statement that the driver sends for `work`, as text. */
async function plansOf(work: () => unknown): Promise<string[]> {
  const query = vi.spyOn(Client.prototype, "query");
  let statements: QueryConfig[];
  try {
    await work();
    statements = query.mock.calls.map(([statement]) => statement as unknown as QueryConfig);
  } finally {
    query.mockRestore();
  }
  const plans: string[] = [];
  for (const { text, values = [] } of statements) {
    const { rows } = await admin.query<{ "QUERY PLAN": string }>(`EXPLAIN ${text}`, values);
    plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
  }
  return plans;
}

const touch = { lifetime: 1000, every: 0, secretHash: newHash() };

test.each<[what: string, index: string, work: () => unknown]>([
  ["a look-up", "pkey", () => driver.read(id, { now: START })],
  ["a touch", "pkey", () => driver.read(id, { now: START + 60, touch })],
  ["a change", "pkey", () => driver.change(id, { now: START, set: set({ key: 1 }), ifVersion: 9 })],
  ["an end", "pkey", () => driver.end(id)],
  ["a user's list", "by_user", () => driver.listByUser("user7", START, 10)],
  ["a user's end", "by_user", () => driver.endByUser("user7", 1, "other")],
  ["a purge", "by_expiry", () => driver.purge(START + 10, 10)],
])("S15, S8: %s uses the index %s", async (_, index, work) => {
  if (postgres === undefined) return;
  const plans = await plansOf(work);
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) {
    expect(plan).toContain(index);
    expect(plan).not.toMatch(/Seq Scan/);
  }
});
