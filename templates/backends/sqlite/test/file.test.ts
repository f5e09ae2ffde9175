// What the SQLite driver promises beyond the contract: several processes, kill -9, locks, files that can't be used.
// Change it when the file is opened, locked or set up otherwise.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UNLIMITED } from "../../../../runtime/src/session/contract.ts";
import { changing, createRow, existing, HOUR, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { createDriver } from "../files/src/store/driver.ts";

const now = START;
let folder: string;
let file: string;
const drivers: SessionDriver[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-"));
  file = join(folder, "data", "sessions.db");
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  rmSync(folder, { recursive: true });
});

function open(path = file, timeout = 5000): SessionDriver {
  const driver = createDriver({ file: path }, timeout);
  drivers.push(driver);
  return driver;
}

async function refusal(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect((error as Error).message).toMatch(/^SQLITE_FILE [^\n]{10,300}$/);
  return error as Error;
}

/** Another process that sets keys `<name>0`, `<name>1` … of the session, and says after each that it has been answered. */
function writer(
  id: string,
  name: string,
  count = Number.POSITIVE_INFINITY,
): { child: ChildProcess; answered: () => number } {
  const child = fork(join(import.meta.dirname, "writer.ts"), [file, id, name, String(count)]);
  children.push(child);
  let answered = 0;
  child.on("message", (number: number) => {
    answered = number;
  });
  return { child, answered: () => answered };
}

test("F2: what was answered survives kill -9 of the process that wrote it", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  for (let round = 0; round < 3; round++) {
    const { child, answered } = writer(row.id, `round ${round} `);
    await waitFor(() => answered() > 200);
    child.kill("SIGKILL");
    await once(child, "exit");
    const data = JSON.parse((await existing(open(), row.id)).data) as Record<string, number>;
    for (let number = 1; number <= answered(); number++)
      expect(data).toHaveProperty([`round ${round} ${number}`], number);
  }
  const database = new Database(file);
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  database.close();
});

test("F7, S10: processes that write one session at once keep each other's keys", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  const writers = ["a", "b", "c"].map((name) => writer(row.id, name, 150));
  await Promise.all(writers.map(({ child }) => once(child, "exit")));
  expect(writers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0]);
  const data = JSON.parse((await existing(driver, row.id)).data) as Record<string, number>;
  expect(Object.keys(data)).toHaveLength(450);
});

test("F7, S14: what one process ends, another process doesn't bring back", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  const { child, answered } = writer(row.id, "x");
  await waitFor(() => answered() > 20);
  expect(await driver.end(row.id)).toBe(true);
  await once(child, "exit");
  expect(child.exitCode, "the writer is told").toBe(3);
  expect(await stored(driver, row.id)).toBeUndefined();
});

test("F1: while another process holds the lock, writes wait without stopping this one, reads and touches go on", async () => {
  const driver = open(file, 400);
  await driver.setup();
  const row = await createRow(driver);
  const other = new Database(file);
  other.exec("BEGIN IMMEDIATE");
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 10);
  const touch = { lifetime: UNLIMITED, every: 60, secretHash: row.secretHash };
  const read = await driver.read(row.id, { now: now + 600, touch });
  expect(read).toMatchObject({ updated: row.updated, expires: row.expires });
  expect(read?.touched ?? false, "left out").toBe(false);
  await driver.ping();
  const { message } = await refusal(changing(driver, row.id, { now, set: set({ a: 1 }) }));
  expect(message).toMatch(/locked/);
  expect(ticks).toBeGreaterThan(10);
  const waiting = driver.change(row.id, { now, set: set({ a: 2 }) });
  other.exec("COMMIT");
  expect(await waiting).toBe("done");
  clearInterval(ticking);
  other.close();
});

test("P6: a missing folder and file are made for this user only", async () => {
  const driver = open();
  await refusal(driver.check());
  await refusal(driver.ping());
  expect(existsSync(file), "only setup makes it").toBe(false);
  await driver.setup();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
  const row = await createRow(driver);
  for (const companion of [`${file}-wal`, `${file}-shm`]) expect(statSync(companion).mode & 0o077).toBe(0);
  await driver.close();
  expect((await existing(open(), row.id)).id).toBe(row.id);
});

test("P6: :memory: is a store of the driver's own", async () => {
  const driver = open(":memory:");
  await driver.setup();
  await driver.check();
  const row = await createRow(driver);
  expect((await existing(driver, row.id)).id).toBe(row.id);
});

test("F3: a file that can't be used is named, with the reason", async () => {
  mkdirSync(join(folder, "data"));
  writeFileSync(file, "This is no database, but a text that is long enough to look at.".repeat(100));
  expect((await refusal(open().setup())).message).toMatch(/not a database/);
  expect((await refusal(open(join(file, "below")).setup())).message).toMatch(/EEXIST|ENOTDIR/);
  expect((await refusal(open(folder).setup())).message).toMatch(/SQLITE_CANTOPEN/);
});

test("P6 F11 L9: check names what isn't as in schema.sql", async () => {
  const driver = open();
  await driver.setup();
  const database = new Database(file);
  database.exec("ALTER TABLE sessions DROP COLUMN useragent");
  await expect(driver.check()).rejects.toThrow(
    /lacks part of schema\.sql \(no such column: useragent\)\. Add it by ALTER TABLE/,
  );
  await expect(driver.setup()).rejects.toThrow(/lacks part of schema\.sql/);
  database.exec("DROP TABLE sessions; CREATE TABLE sessions AS SELECT 1 AS id");
  await expect(driver.check()).rejects.toThrow(/lacks part of schema\.sql/);
  database.exec("DROP TABLE sessions");
  await expect(driver.check()).rejects.toThrow(/no such table: sessions/);
  await driver.setup();
  await driver.close();
  database.pragma("journal_mode = DELETE");
  database.close();
  await expect(open().check()).rejects.toThrow(/isn't in WAL mode/);
});

test("F11: a trigger or a constraint that refuses sessions is found at the start, and leaves no row", async () => {
  const driver = open();
  await driver.setup();
  const database = new Database(file);
  database.exec("CREATE TRIGGER kept BEFORE DELETE ON sessions BEGIN SELECT raise(ABORT, 'kept for ever'); END");
  await expect(driver.check()).rejects.toThrow(/^SQLITE_FILE .* can't be used: kept for ever\.$/);
  database.exec("DROP TRIGGER kept; CREATE TRIGGER ignored BEFORE UPDATE ON sessions BEGIN SELECT raise(IGNORE); END");
  await expect(driver.check()).rejects.toThrow(/^SQLITE_FILE .* could be written but not be read and changed/);
  database.exec("DROP TRIGGER ignored; CREATE UNIQUE INDEX one ON sessions (ipaddress)");
  await driver.check();
  await createRow(driver, { ipaddress: "" });
  await expect(driver.check()).rejects.toThrow(/can't be used: UNIQUE constraint failed: sessions\.ipaddress/);
  expect((await driver.stats(now)).live).toBe(1);
  database.close();
});

test("F1: a full disk refuses writes, loses nothing, and is over when there is room again", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver, { data: '{"kept":true}' });
  await driver.close();
  const small = open();
  await small.ping();
  const limit = new Database(file);
  const pages = Number(limit.pragma("page_count", { simple: true }));
  limit.close();
  // What a full disk gives, without filling one: SQLite refuses to grow the file.
  const refused = await refusalOfFull(pages + 3);
  expect(refused).toBeGreaterThan(0);
  expect((await existing(small, row.id)).data).toBe('{"kept":true}');
  expect(await small.change(row.id, { now, set: set({ more: 1 }) })).toBe("done");
});

async function refusalOfFull(pages: number): Promise<number> {
  const { Connection } = await import("../files/src/store/connection.ts");
  const connection = new Connection(file, 500, (database) => database.pragma(`max_page_count = ${pages}`));
  let refused = 0;
  for (let number = 0; number < 20; number++) {
    const row = newRow({ data: JSON.stringify({ text: "x".repeat(3000) }), idle: HOUR });
    const sql = "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    const insert = connection.run(() =>
      connection
        .statement(sql)
        .run(row.id, row.secretHash, null, row.created, row.updated, 0, row.idle, row.expires, "", "", row.data, 1),
    );
    await insert.catch((error: unknown) => {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect((error as Error).message).toMatch(/full/);
      refused++;
    });
  }
  await connection.close();
  return refused;
}
