// Long work on a SQLite store, which is in the app's own process: other requests get their turn in between.
// Change it when rows are removed or listed in other batches.

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SessionDriver } from "../../../../runtime/src/session/contract.ts";
import { Sessions } from "../../../../runtime/src/session/sessions.ts";
import { createRow, createRows, existing, HOUR, newRow, START } from "../../../../test/drivers/rows.ts";
import { defaults } from "../../../../test/runtime/defaults.ts";
import { Checkpoints } from "../files/src/store/checkpoints.ts";
import { Connection } from "../files/src/store/connection.ts";
import { createDriver } from "../files/src/store/driver.ts";

const ROWS = 20_000;
/** As many rows as may be removed or listed without a turn of the event loop: about 10 ms of work. */
const ROWS_PER_TURN = 500;

/** At this size of its write-ahead log SQLite makes a checkpoint within a commit, and waits for the disk. */
const CHECKPOINT_BYTES = 1000 * 4096;

let folder: string;
let file: string;
let driver: SessionDriver;
let sessions: Sessions;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-long-"));
  file = join(folder, "sessions.db");
  driver = createDriver({ file }, 5000);
  await driver.setup();
  sessions = new Sessions({ driver, settings: defaults });
});

afterEach(async () => {
  await sessions.close();
  rmSync(folder, { recursive: true });
});

/** The turns of the event loop, and reads of another session, that went by during `work`. */
async function during(work: () => Promise<unknown>): Promise<{ turns: number; reads: number }> {
  const other = await createRow(driver, { userid: "other" });
  let turns = 0;
  let reads = 0;
  let running = true;
  const turn = async () => {
    if (!running) return;
    turns++;
    setImmediate(turn);
    await existing(driver, other.id);
    reads++;
  };
  setImmediate(turn);
  await work();
  running = false;
  return { turns, reads };
}

const many = (given: Parameters<typeof newRow>[0]) => Array.from({ length: ROWS }, () => newRow(given));

test("F10: requests get their turn while a user's 20,000 sessions end", async () => {
  await createRows(driver, many({ userid: "many" }));
  const { turns, reads } = await during(async () => expect(await sessions.endByUser("many")).toBe(ROWS));
  expect(turns).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN);
  expect(reads).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN - 1);
  expect((await driver.stats(START)).live).toBe(1);
});

test("F10: requests get their turn while everybody's sessions end", async () => {
  await createRows(driver, many({}));
  // The other session may be ended at any time here, so that only turns count.
  let turns = 0;
  let running = true;
  const turn = () => {
    if (!running) return;
    turns++;
    setImmediate(turn);
  };
  setImmediate(turn);
  expect(await sessions.endAll()).toBe(ROWS);
  running = false;
  expect(turns).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN);
});

test("F10, S8: requests get their turn while tens of thousands of expired rows are purged", async () => {
  await createRows(driver, many({ created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR }));
  const { turns, reads } = await during(async () => expect(await sessions.purge()).toBe(ROWS));
  expect(turns).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN);
  expect(reads).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN - 1);
});

test("F10: requests get their turn while everybody's sessions are listed", async () => {
  await createRows(driver, many({}));
  let listed = 0;
  const { turns } = await during(async () => {
    for await (const batch of sessions.all()) listed += batch.length;
  });
  expect(listed).toBeGreaterThanOrEqual(ROWS);
  expect(turns).toBeGreaterThanOrEqual(ROWS / ROWS_PER_TURN);
});

test.each([5000, 5])("F10: requests get their turn while the sessions of %i users are counted", async (users) => {
  await createRows(
    driver,
    Array.from({ length: ROWS }, (_, index) => newRow({ userid: `user${index % users}` })),
  );
  const { turns } = await during(async () => {
    const { live, signedIn, users: top } = await driver.stats(START);
    expect({ live, signedIn }).toEqual({ live: ROWS + 1, signedIn: ROWS + 1 });
    expect(top[0]).toEqual({ userid: "user0", sessions: ROWS / users });
  });
  // All sessions are counted once in all, and once by their users.
  expect(turns).toBeGreaterThanOrEqual((2 * ROWS) / 5000);
});

test("F10: the app's own thread makes no checkpoint while many sessions are removed", async () => {
  const expired = { created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR };
  const rows = Array.from({ length: ROWS }, (_, index) => newRow(index % 2 === 0 ? expired : { userid: "many" }));
  await createRows(driver, rows);
  // Closing writes everything into the file and removes the log.
  await sessions.close();
  driver = createDriver({ file }, 5000);
  sessions = new Sessions({ driver, settings: defaults });
  expect(await sessions.purge()).toBe(ROWS / 2);
  expect(statSync(`${file}-wal`).size).toBeLessThan(CHECKPOINT_BYTES);
  expect(await sessions.endByUser("many")).toBe(ROWS / 2);
  expect(statSync(`${file}-wal`).size).toBeLessThan(CHECKPOINT_BYTES);
  await createRows(driver, rows.slice(0, 5000));
  await sessions.close();
  driver = createDriver({ file }, 5000);
  sessions = new Sessions({ driver, settings: defaults });
  expect(await sessions.endAll()).toBe(5000);
  expect(statSync(`${file}-wal`).size).toBeLessThan(CHECKPOINT_BYTES);
});

test("F10: many sessions are removed where no thread can be started, and a warning says so", async () => {
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  try {
    await createRows(driver, many({ created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR }));
    // Then the thread finds no such file.
    vi.spyOn(Connection.prototype, "checkpoint").mockImplementation(() => withoutFile.make());
    const withoutFile = new Checkpoints(join(folder, "missing.db"));
    expect(await sessions.purge()).toBe(ROWS);
    expect(warning).toHaveBeenCalledOnce();
    expect(warning).toHaveBeenCalledWith(expect.stringMatching(/can't be made on a thread: .*missing|unable to open/));
  } finally {
    vi.restoreAllMocks();
  }
});
