// `npm run sessions` on a table of 100,000 sessions: listed, counted, ended, and never with a secret.
// The table is filled by SQL; what the commands do with a few sessions is tested in the project's own tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, expect, test } from "vitest";
import { assemble } from "./assemble.ts";

const ROWS = 100_000;
let folder = "";

beforeAll(async () => {
  folder = await assemble({ framework: "express", backend: "sqlite" }, "administration");
  await mkdir(join(folder, "data"), { recursive: true });
  const database = new Database(join(folder, "data", "sessions.db"));
  database.pragma("journal_mode = WAL");
  database.exec(await readFile(join(folder, "schema.sql"), "utf8"));
  // Every tenth has expired, every second of the others is of one of 1,000 users.
  database
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS - 1})
       INSERT INTO sessions SELECT printf('%022d', i), zeroblob(32), iif(i % 2, 'user' || (i % 1000), NULL), unixepoch(),
         unixepoch(), 0, 86400, unixepoch() + iif(i % 10 = 0, -1, 86400), '192.0.2.1', 'test', '{"a":1}', 1 FROM n`,
    )
    .run();
  database.close();
});

/** @param lines closes its output after so many lines, as `head` does */
async function sessions(args: string[], lines = Number.POSITIVE_INFINITY, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["src/cli/sessions.ts", ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  child.stdout.on("data", (text) => {
    stdout += text;
    if (lines < Number.POSITIVE_INFINITY && stdout.split("\n").length > lines) child.stdout.destroy();
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

test("P7: stats counts live and expired sessions, and the users who have most", async () => {
  const { code, stdout } = await sessions(["stats", "--json"]);
  expect(code).toBe(0);
  const stats = JSON.parse(stdout);
  expect(stats).toMatchObject({ live: 90_000, expired: 10_000, signedIn: 50_000 });
  expect(stats.users).toHaveLength(10);
  expect(stats.users[0]).toEqual({ userid: expect.stringMatching(/^user\d+$/), sessions: 100 });
});

test("P7: stats may take longer than a request waits for the store", async () => {
  const { code, stdout, stderr } = await sessions(["stats", "--json"], undefined, { SESSION_STORE_TIMEOUT: "10" });
  expect([code, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({ live: 90_000 });
});

test("P7: list prints each live session once, without a secret", async () => {
  const { code, stdout } = await sessions(["list", "--json"]);
  expect(code).toBe(0);
  const list = JSON.parse(stdout) as { id: string }[];
  expect(new Set(list.map(({ id }) => id)).size).toBe(90_000);
  expect(stdout).not.toMatch(/secret/i);
});

test("P7: list into `head` stops quietly, long before the end", async () => {
  const { code, stdout, stderr } = await sessions(["list"], 5);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.split("\n").length).toBeLessThan(20_000);
});

test("P7, S24: one user's sessions are ended, then everybody's; without a terminal to ask on, --yes is needed", async () => {
  const one = await sessions(["revoke", "--user", "user7", "--json"]);
  expect(one.code).toBe(0);
  expect(JSON.parse((await sessions(["list", "--user", "user7", "--json"])).stdout)).toEqual([]);
  const unasked = await sessions(["revoke", "--all"]);
  expect(unasked.code).not.toBe(0);
  expect(unasked.stderr).toContain("--yes");
  expect(JSON.parse((await sessions(["stats", "--json"])).stdout).live).toBe(89_900);
  expect((await sessions(["revoke", "--all", "--yes"])).code).toBe(0);
  expect(JSON.parse((await sessions(["stats", "--json"])).stdout)).toMatchObject({ live: 0, expired: 0 });
});
