// What `sessions copy` makes of two stores, against a small model: any history of either, any number of passes, killed anywhere.
// Add an operation here when sessions can change in another way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SessionDriver, SessionRow } from "../../runtime/src/session/contract.ts";
import { createDriver as createMemory } from "../../templates/backends/memory/files/src/store/driver.ts";
import { createDriver as createSqlite } from "../../templates/backends/sqlite/files/src/store/driver.ts";
import { agree, Copier, type Counts } from "../../templates/base/move/src/copy/copier.ts";
import { Journal } from "../../templates/base/move/src/copy/journal.ts";
import type { Copy } from "../../templates/base/move/src/copy/row.ts";
import { comparable, createRow, HOUR, newHash, newId, newRow, START, set } from "../drivers/rows.ts";

const SESSIONS = 6;
/** Longer than any test: nothing here goes by the clock. */
const TIMEOUT_MS = 2 ** 30;
const LIFETIME = 5 * HOUR;

interface Options {
  onlyMissing?: boolean;
  /** How many writes the target gets before the copier is killed; half of them while the write is under way. */
  killAfter?: number;
}

/** Two stores and the journal of a copy from the one to the other. */
class Move {
  now = START;
  readonly refused: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "copying-"));
  readonly source: SessionDriver;
  readonly target: SessionDriver;

  constructor(source?: SessionDriver, target?: SessionDriver) {
    this.source = source ?? createMemory({ maxSessions: 100_000 }, 0);
    this.target = target ?? createMemory({ maxSessions: 100_000 }, 0);
  }

  get file(): string {
    return join(this.folder, "data", "copied.txt");
  }

  /** Resolves to undefined if the copier was killed. */
  async pass({ onlyMissing = false, killAfter }: Options = {}): Promise<Counts | undefined> {
    const killed = Promise.withResolvers<undefined>();
    const target =
      killAfter === undefined ? this.target : dying(this.target, killAfter, () => killed.resolve(undefined));
    const journal = new Journal(this.file, "the source", "the target");
    const report = {
      progress: () => undefined,
      refused: (_: string, message: string) => void this.refused.push(message),
    };
    const stores = { source: { driver: this.source, name: "" }, target: { driver: target, name: "" } };
    try {
      return await Promise.race([
        new Copier(stores, TIMEOUT_MS, journal, report, () => this.now).run(onlyMissing),
        killed.promise,
      ]);
    } finally {
      journal.close();
    }
  }

  async live(driver: SessionDriver, id: string): Promise<SessionRow | undefined> {
    const row = await driver.read(id, { now: this.now });
    return row && row.expires >= this.now ? row : undefined;
  }

  async end(): Promise<void> {
    await Promise.all([this.source.close(), this.target.close()]);
    rmSync(this.folder, { recursive: true });
  }
}

/** A driver whose process ends with its `calls`th write, done or not: that call, and all others from then on, never return. */
function dying(driver: SessionDriver, calls: number, die: () => void): SessionDriver {
  const never = new Promise<never>(() => undefined);
  let left = calls;
  const write = async (method: () => Promise<unknown>) => {
    if (left <= 0) return never;
    left--;
    if (left > 0) return method();
    if (calls % 2 === 0) await method();
    die();
    return never;
  };
  return new Proxy(driver, {
    get(_, name: keyof SessionDriver) {
      const member = driver[name];
      if (typeof member !== "function") return member;
      const method = member.bind(driver) as (...args: unknown[]) => Promise<unknown>;
      if (name !== "create" && name !== "change" && name !== "end") return method;
      return (...args: unknown[]) => write(() => method(...args));
    },
  });
}

function newMove(source?: SessionDriver, target?: SessionDriver): Move {
  const move = new Move(source, target);
  onTestFinished(() => move.end());
  return move;
}

const step = fc.constantFrom(0, 0, 0, 1, 30, 700, HOUR - 1);
const small = fc.constantFrom(0, 0, 1);
const operation = fc.record({
  kind: fc.constantFrom("create", "write", "write", "touch", "renew", "signIn", "idle", "end"),
  session: fc.nat(SESSIONS - 1),
});
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;
const run = fc.record({
  kind: fc.constant("pass" as const),
  killAfter: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
});

/** Resolves to whether there was a live session for it. */
async function apply(
  move: Move,
  driver: SessionDriver,
  ids: string[],
  { kind, session }: Operation,
  count: number,
): Promise<boolean> {
  const id = ids[session] ?? "";
  const { now } = move;
  const touch = { lifetime: LIFETIME };
  if (kind === "create") {
    // An id is never used again.
    ids[session] = newId();
    await driver.create(
      newRow({
        id: ids[session],
        created: now,
        idle: count % 2 ? HOUR : 600,
        lifetime: LIFETIME,
        data: `{"a":${count}}`,
      }),
    );
    return true;
  }
  const isLive = (await move.live(driver, id)) !== undefined;
  if (kind === "end") await driver.end(id);
  else if (kind === "touch") await driver.change(id, { now, touch });
  else if (kind === "write")
    await driver.change(id, { now, set: set({ [`k${count % 3}`]: count }), remove: [`k${(count + 1) % 3}`] });
  else if (kind === "renew") await driver.change(id, { now, secretHash: newHash() });
  else if (kind === "idle") await driver.change(id, { now, idle: HOUR * 2, touch });
  else await driver.change(id, { now, secretHash: newHash(), userid: `user ${count}`, authenticated: now });
  return isLive;
}

describe("L6: any history", () => {
  test("L6: of the source with passes in between, some of them killed, ends with equal stores after a whole pass", async () => {
    const history = fc.array(fc.tuple(fc.oneof({ weight: 3, arbitrary: operation }, run), step), { maxLength: 30 });
    const property = fc.asyncProperty(history, async (steps) => {
      const move = new Move();
      const ids = Array.from({ length: SESSIONS }, newId);
      const all = new Set<string>();
      for (const [index, [what, seconds]] of steps.entries()) {
        move.now += seconds;
        if (what.kind === "pass") await move.pass(what).catch(ignoreEmpty);
        else await apply(move, move.source, ids, what, index);
        for (const id of ids) all.add(id);
      }
      // The last one, so that no store is empty.
      all.add((await createRow(move.source, { created: move.now })).id);
      const counts = await move.pass();
      expect(counts && agree(counts)).toBe(true);
      const live = await Promise.all([...all].map((id) => move.live(move.source, id)));
      for (const [index, id] of [...all].entries()) {
        expect(comparable(await move.live(move.target, id))).toEqual(comparable(live[index]));
      }
      expect(counts).toMatchObject({ source: live.filter(Boolean).length, target: live.filter(Boolean).length });
      await move.end();
    });
    await fc.assert(property, { numRuns: 300 });
  }, 120_000);

  test("L6: of both stores around the restart: nothing of the target is undone, nothing of the source is lost", async () => {
    const before = fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: operation }, run), step), { maxLength: 12 });
    const late = fc.array(fc.tuple(operation, small), { maxLength: 8 });
    const after = fc.array(fc.tuple(operation, small), { maxLength: 8 });
    const property = fc.asyncProperty(
      before,
      late,
      after,
      run,
      after,
      async (early, lateSteps, first, killed, second) => {
        const move = new Move();
        const ids = Array.from({ length: SESSIONS }, newId);
        let count = 0;
        for (const [what, seconds] of early) {
          move.now += seconds;
          if (what.kind === "pass") await move.pass(what).catch(ignoreEmpty);
          else await apply(move, move.source, ids, what, count++);
        }
        const { id: anchor } = await createRow(move.source, { created: move.now });
        await move.pass();
        const copied = new Map(
          await Promise.all(ids.map(async (id) => [id, await move.live(move.target, id)] as const)),
        );
        for (const [what, seconds] of lateSteps) {
          move.now += seconds;
          await apply(move, move.source, ids, what, count++);
        }
        // The app is restarted with the target here.
        const [touched, ended] = [new Set<string>(), new Set<string>()];
        for (const [what, seconds] of first) {
          move.now += seconds;
          const id = ids[what.session] ?? "";
          if (!(await apply(move, move.target, ids, what, count++)) || what.kind === "create") continue;
          (what.kind === "end" ? ended : touched).add(id);
        }
        const known = new Set([...copied.keys(), ...ids]);
        const mine = new Map(
          await Promise.all([...known].map(async (id) => [id, await move.live(move.target, id)] as const)),
        );
        await move.pass(killed);
        const counts = await move.pass();
        expect(counts && agree(counts)).toBe(true);
        for (const id of known) {
          const [there, now] = [mine.get(id), await move.live(move.target, id)];
          const theirs = await move.live(move.source, id);
          const copy = copied.get(id);
          // docs/moving.md: the pass has to come before the copy would have expired.
          if (ended.has(id) && copy && copy.expires < move.now) continue;
          const isChanged = there && copy && contentOf(there) !== contentOf(copy);
          if (ended.has(id)) expect(now).toBeUndefined();
          // A touch within the second of the last one moves nothing.
          else if (isChanged || (touched.has(id) && there?.updated !== copy?.updated && !theirs) || (there && !copy)) {
            expect(comparable(now)).toEqual(comparable(there));
          } else if (!theirs) expect(now).toBeUndefined();
          else {
            const { updated, expires, ...content } = comparable(theirs) ?? { updated: 0, expires: 0 };
            expect(comparable(now)).toMatchObject(content);
            expect(now?.updated).toBe(Math.max(updated, there?.updated ?? 0));
            expect(now?.expires).toBeGreaterThanOrEqual(expires);
          }
        }
        for (const [what, seconds] of second) {
          move.now += seconds;
          await apply(move, move.target, ids, what, count++);
        }
        const all = [...new Set([...known, ...ids, anchor])];
        const last = await Promise.all(all.map(async (id) => comparable(await move.live(move.target, id))));
        const ends = all.filter((_, index) => last[index] === undefined);
        await move.pass();
        for (const [index, id] of all.entries()) {
          if (!ends.includes(id)) expect(comparable(await move.live(move.target, id))).toEqual(last[index]);
        }
        await move.end();
      },
    );
    await fc.assert(property, { numRuns: 300 });
  }, 120_000);
});

/** All but the times of the last access. */
function contentOf(row: SessionRow): string {
  return JSON.stringify({ ...comparable(row), updated: 0, expires: 0 });
}

/** Stores that were emptied or are in use are refused; the histories have both. */
function ignoreEmpty(error: Error): void {
  expect(error.message).toMatch(/has no session any more/);
}

describe("L6: a pass", () => {
  test("L6: counts what it has read, copied, left and ended, and does nothing the second time", async () => {
    const move = newMove();
    const rows = await Promise.all(Array.from({ length: 120 }, () => createRow(move.source, { userid: "ada" })));
    await createRow(move.source, { created: START - 2 * HOUR });
    expect(await move.pass()).toMatchObject({ source: 120, copied: 120, same: 0, target: 120 });
    expect(await move.pass()).toMatchObject({ source: 120, copied: 0, same: 120, target: 120 });
    const [one, two, three, four] = rows as [SessionRow, SessionRow, SessionRow, SessionRow];
    await move.source.change(one.id, { now: move.now, set: set({ a: 1 }) });
    await move.source.end(two.id);
    await move.target.change(three.id, { now: move.now, set: set({ b: 1 }) });
    await move.source.change(three.id, { now: move.now, set: set({ b: 2 }) });
    await move.target.end(four.id);
    await createRow(move.target);
    expect(await move.pass()).toEqual({
      ...{
        source: 119,
        copied: 0,
        changed: 1,
        same: 116,
        kept: 1,
        ended: 1,
        gone: 0,
        unreadable: 0,
        refused: 0,
        missing: 0,
      },
      ...{ removed: 1, target: 119 },
    });
  });

  test("L6: reports what the target can't hold, copies the rest, and tries again the next time", async () => {
    const target = Object.assign(createMemory({ maxSessions: 1000 }, 0), {
      limits: { text: { pattern: /\0/, reason: "there is no NUL in it" } },
    });
    const move = newMove(undefined, target);
    const row = await createRow(move.source, { data: JSON.stringify({ a: { "b\0": 1 } }) });
    await createRow(move.source, { userid: "ada" });
    for (const copied of [1, 0]) {
      const counts = (await move.pass()) as Counts;
      expect(counts).toMatchObject({ source: 2, copied, refused: 1, target: 1 });
      expect(agree(counts)).toBe(false);
    }
    expect(move.refused[0]).toMatch(/^The key .* can't be stored: there is no NUL in it$/);
    await move.source.change(row.id, { now: move.now, remove: ["a"] });
    expect(agree((await move.pass()) as Counts)).toBe(true);
  });

  test("F5 L6: leaves out what nobody can read, and says how many they are", async () => {
    const folder = mkdtempSync(join(tmpdir(), "copying-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const source = createSqlite({ file: join(folder, "source.db") }, 5000);
    await source.setup();
    const move = newMove(source);
    await createRow(source, { data: "edited by hand" });
    await createRow(source);
    expect(await move.pass()).toMatchObject({ source: 2, copied: 1, unreadable: 1, target: 1 });
  });

  test("L6: stops where a store was emptied, or has sessions of which the journal knows nothing", async () => {
    const move = newMove();
    const row = await createRow(move.source);
    const other = await createRow(move.target);
    await expect(move.pass()).rejects.toThrow(/The target has sessions already/);
    expect(await move.pass({ onlyMissing: true })).toMatchObject({ copied: 1, target: 2 });
    await move.source.end(row.id);
    await expect(move.pass()).rejects.toThrow(/The source has no session any more/);
    expect(await move.live(move.target, row.id)).toBeDefined();
    await createRow(move.source);
    for (const { id } of [row, other]) await move.target.end(id);
    await expect(move.pass()).rejects.toThrow(/The target has no session any more/);
  });

  test("L6: what was being written when copiers were killed stays in doubt until it is written, whatever else is confirmed", () => {
    const { file } = newMove();
    const [first, second] = ["one", "two"].map((digest) => ({ digest, updated: START, expires: START + HOUR }));
    const opened = <Result>(work: (journal: Journal) => Result): Result => {
      const journal = new Journal(file, "the source", "the target");
      try {
        return work(journal);
      } finally {
        journal.close();
      }
    };
    opened((journal) => journal.announce(new Map([["x", first as Copy]])));
    opened((journal) => {
      journal.announce(new Map([["y", first as Copy]]));
      journal.confirm(new Map([["y", first]]));
      journal.announce(new Map([["x", second as Copy]]));
    });
    opened(({ copies, doubtful }) => {
      expect([...doubtful]).toEqual([["x", [undefined, first]]]);
      expect(copies).toEqual(new Map(Object.entries({ x: second, y: first })));
    });
    opened((journal) => journal.confirm(new Map([["x", second]])));
    opened(({ doubtful }) => expect(doubtful.size).toBe(0));
  });

  test("L6: one process at a time; a journal that was cut off by a crash, or is of other stores, is recognised", async () => {
    const move = newMove();
    const { id } = await createRow(move.source);
    await move.pass();
    writeFileSync(`${move.file}.lock`, "1");
    await expect(move.pass()).rejects.toThrow(
      `Process 1 is copying with ${move.file} already. If that is no copy, delete ${move.file}.lock.`,
    );
    rmSync(`${move.file}.lock`);
    writeFileSync(move.file, `${readFileSync(move.file, "utf8")}${newId()} abc`);
    expect(await move.pass()).toMatchObject({ same: 1 });
    expect(readFileSync(move.file, "utf8").split("\n").slice(0, -1)).toEqual([
      '{"from":"the source","to":"the target"}',
      expect.stringMatching(new RegExp(`^${id} [\\w-]{22} ${START} ${START + HOUR}$`)),
      "=",
      "?",
    ]);
    expect(() => new Journal(move.file, "the source", "elsewhere")).toThrow(/is about a copy between other stores/);
  });
});
