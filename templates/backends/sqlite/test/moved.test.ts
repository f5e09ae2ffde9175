// What the SQLite driver does when its files are removed or replaced while it uses them.
// Change it when the driver notices that in another way.

import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure } from "../../../../test/drivers/broken.ts";
import {
  changing,
  comparable,
  createRow,
  existing,
  newRow,
  reading,
  START,
  set,
  stored,
} from "../../../../test/drivers/rows.ts";
import { Connection } from "../files/src/store/connection.ts";
import { createDriver } from "../files/src/store/driver.ts";

const now = START;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-moved-"));
  file = join(folder, "sessions.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

function open(path = file): SessionDriver {
  const driver = createDriver({ file: path }, 2000);
  drivers.push(driver);
  return driver;
}

async function expectMoved(work: unknown, line: RegExp): Promise<void> {
  const error = await failure(work);
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error.message).toMatch(/^SQLITE_FILE [^\n]{10,300}$/);
  expect(error.message).toMatch(line);
}

/** A store of its own with one session, whose file can be put in the place of another one. */
async function anotherStore(): Promise<{ path: string; id: string }> {
  const path = join(folder, "another.db");
  const driver = open(path);
  await driver.setup();
  const { id } = await createRow(driver, { userid: "other" });
  await driver.close();
  return { path, id };
}

const requests: [string, (driver: SessionDriver, id: string) => unknown][] = [
  ["create", (driver) => driver.create(newRow())],
  ["change", (driver, id) => changing(driver, id, { now, set: set({ a: 1 }) })],
  ["end", (driver, id) => driver.end(id)],
  ["read", (driver, id) => reading(driver, id, { now })],
  ["listByUser", (driver) => driver.listByUser("alice", now, 10)],
  ["endByUser", (driver) => driver.endByUser("alice", 10)],
  ["endAll", (driver) => driver.endAll(10)],
  ["purge", (driver) => driver.purge(now, 10)],
  ["ping", (driver) => driver.ping()],
];

test.each(requests)(
  "F9: %s on files that were removed is refused, and works when they are there again",
  async (_, request) => {
    const driver = open();
    await driver.setup();
    const row = await createRow(driver, { userid: "alice" });
    for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name);
    await expectMoved(request(driver, row.id), /sessions\.db was removed while it was in use/);
    await expectMoved(request(driver, row.id), /doesn't exist\. `npm run sessions -- setup` makes it\.$/);
    expect(existsSync(file), "nothing but setup makes a file").toBe(false);
    await open().setup();
    expect(await stored(driver, row.id)).toBeUndefined();
    const fresh = await createRow(driver);
    expect(comparable(await existing(open(), fresh.id))).toEqual(comparable(fresh));
  },
);

test.each(requests)(
  "F9: %s on a file that was replaced is refused once, then done with the new one",
  async (_, request) => {
    const driver = open();
    await driver.setup();
    const row = await createRow(driver, { userid: "alice" });
    const other = await anotherStore();
    for (const name of [`${file}-wal`, `${file}-shm`]) rmSync(name);
    renameSync(other.path, file);
    await expectMoved(request(driver, row.id), /sessions\.db was replaced while it was in use/);
    expect((await existing(driver, other.id)).userid).toBe("other");
    expect(await stored(driver, row.id)).toBeUndefined();
    const fresh = await createRow(driver);
    expect(comparable(await existing(open(), fresh.id))).toEqual(comparable(fresh));
  },
);

test("F9: a read notices in the next turn of the event loop that the file was replaced after another read", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  const other = await anotherStore();
  expect(await reading(driver, row.id, { now })).toBeDefined();
  for (const name of [`${file}-wal`, `${file}-shm`]) rmSync(name);
  renameSync(other.path, file);
  await new Promise(setImmediate);
  await expectMoved(reading(driver, row.id, { now }), /sessions\.db was replaced while it was in use/);
});

test.each(["-wal", "-shm"])(
  "F9: a write without the %s file is refused; afterwards each success is stored",
  async (suffix) => {
    const driver = open();
    await driver.setup();
    const row = await createRow(driver);
    rmSync(file + suffix);
    await expectMoved(
      changing(driver, row.id, { now, set: set({ a: 1 }) }),
      /-(?:wal|shm) was removed while it was in use/,
    );
    expect(await driver.change(row.id, { now, set: set({ b: 2 }) })).toBe("done");
    const fresh = await createRow(driver);
    await driver.close();
    const again = open();
    expect(JSON.parse((await existing(again, row.id)).data)).toMatchObject({ b: 2 });
    expect(comparable(await existing(again, fresh.id))).toEqual(comparable(fresh));
    const database = new Database(file);
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    database.close();
  },
);

test("F9: a file that is moved away and back is used again", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  await driver.ping();
  renameSync(file, `${file}.away`);
  await expectMoved(driver.ping(), /was removed/);
  renameSync(`${file}.away`, file);
  expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
});

test("F9: a link that leads to another file from now on is followed", async () => {
  const other = await anotherStore();
  const link = join(folder, "link.db");
  await open().setup();
  symlinkSync(file, link);
  const driver = open(link);
  const row = await createRow(driver);
  expect(existsSync(`${link}-wal`)).toBe(false);
  rmSync(link);
  symlinkSync(other.path, link);
  await expectMoved(driver.create(newRow()), /link\.db was replaced/);
  expect((await existing(driver, other.id)).userid).toBe("other");
  expect(comparable(await existing(open(), row.id))).toEqual(comparable(row));
});

test("F9: a file without the table, or one that is no database, is refused until it is set up", async () => {
  const driver = open();
  await driver.setup();
  const row = await createRow(driver);
  const replace = (content: string) => {
    for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
    writeFileSync(file, content);
  };
  replace("");
  await expectMoved(driver.ping(), /was replaced/);
  for (const [, request] of requests)
    await expectMoved(request(driver, row.id), /isn't as in schema\.sql: no such table: sessions\.$/);
  replace("This is no database, but a text that is long enough to look at.".repeat(100));
  await expectMoved(driver.ping(), /was replaced/);
  for (const [, request] of requests) await expectMoved(request(driver, row.id), /not a database/);
  replace("");
  await open().setup();
  await driver.ping();
  await createRow(driver);
});

test("F9: what was being done when the file went is refused too", async () => {
  await open().setup();
  const connection = new Connection(file, 1000, () => undefined);
  const work = connection.run((database) => {
    const { changes } = database.prepare("DELETE FROM sessions").run();
    rmSync(file);
    return changes;
  });
  await expectMoved(work, /was removed while it was in use/);
  await connection.close();
});

test("F9: the files of another store that took the place are left alone when the driver closes", async () => {
  const driver = open();
  await driver.setup();
  await createRow(driver);
  for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name);
  const successor = open();
  await successor.setup();
  const row = await createRow(successor);
  await driver.close();
  expect(existsSync(`${file}-wal`)).toBe(true);
  expect(comparable(await existing(open(), row.id))).toEqual(comparable(row));
});
