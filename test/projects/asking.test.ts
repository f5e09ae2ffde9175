// `npm run sessions -- revoke --all` asks on the terminal: what each answer, and no answer, does.
// Change it when another command of src/cli/commands.ts asks before it acts.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { createDriver } from "../../templates/backends/sqlite/files/src/store/driver.ts";
import { createRows, newRow } from "../drivers/rows.ts";
import { KEYS, Person } from "../generator/screen.ts";
import { assemble } from "../http/assemble.ts";

const QUESTION = "End all 3 live sessions in SQLite";
let folder: string;

beforeAll(async () => {
  folder = await assemble({ framework: "express", backend: "sqlite" }, "asking");
  await mkdir(join(folder, "data"), { recursive: true });
  await withDriver(async (driver) => {
    await driver.setup();
    await createRows(driver, [newRow(), newRow(), newRow()]);
  });
});

async function withDriver<Result>(use: (driver: ReturnType<typeof createDriver>) => Promise<Result>): Promise<Result> {
  const driver = createDriver({ file: join(folder, "data", "sessions.db") }, 5000);
  try {
    return await use(driver);
  } finally {
    await driver.close();
  }
}

async function live(): Promise<number> {
  return withDriver(async (driver) => (await driver.stats(Math.floor(Date.now() / 1000))).live);
}

const ask = () =>
  new Person(process.execPath, ["src/cli/sessions.ts", "revoke", "--all"], { cwd: folder, columns: 200 });

test.each([
  ["Enter", KEYS.enter],
  ["n", `n${KEYS.enter}`],
  ["Ctrl-C", KEYS.ctrlC],
  ["Ctrl-D", KEYS.ctrlD],
])("P7 S24: at the question, %s ends no session", async (_, keys) => {
  const person = ask();
  await person.type(QUESTION, keys);
  expect(await person.exit()).toBe(1);
  expect(person.seen).toMatch(/Everybody is signed out\. \[y\/N\].*\n?Nothing was ended\.$/);
  expect(await live()).toBe(3);
});

test.each(["SIGTERM", "SIGINT"] as const)("P7 S24: %s at the question ends no session", async (signal) => {
  const person = ask();
  await person.sees(QUESTION);
  process.kill(person.pid, signal);
  await person.exit();
  expect(await live()).toBe(3);
});

test("P7 S24: yes ends them all", async () => {
  const person = ask();
  await person.type(QUESTION, "yes", KEYS.enter);
  expect(await person.exit()).toBe(0);
  expect(person.seen).toContain("Ended 3 sessions.");
  expect(await live()).toBe(0);
});
