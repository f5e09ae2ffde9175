// What drivers promise to an administrator: lists, counts, ending everything, and rows that someone has spoilt by hand.
// Change it when all, stats or endAll change.

import { expect, test } from "vitest";
import {
  type Access,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  UnreadableRow,
} from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import {
  changing,
  comparable,
  createRow,
  createRows,
  endEverySession,
  endUser,
  HOUR,
  infoOf,
  newRow,
  reading,
  START,
  set,
  stored,
} from "./rows.ts";

const now = START;
/** More than any driver yields in one batch. */
const MANY = 1100;
const idleUntilPast = { created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR };

export function administration(subject: Subject): void {
  async function listAll(between?: (seen: readonly SessionInfo[]) => Promise<void>): Promise<SessionInfo[]> {
    const sessions: SessionInfo[] = [];
    for await (const batch of subject.b.all(now)) {
      sessions.push(...batch);
      await between?.(sessions);
    }
    return sessions;
  }

  const byId = (one: SessionInfo, other: SessionInfo) => (one.id < other.id ? -1 : 1);

  test("P7: all yields every live session once, without its secret and its data", async () => {
    await subject.empty();
    const starts = ["-", "_", "0", "9", "A", "Z", "a", "z", "aa", "aA", "Aa", "a-", "a_", "--", "__", "Zz", "zZ"];
    const rows = starts.map((start) => newRow({ id: start.padEnd(22, "x") }));
    rows.push(...Array.from({ length: 20 }, (_, number) => newRow({ userid: `user${number % 3}`, data: '{"a":1}' })));
    await createRows(subject.a, rows);
    await createRow(subject.a, idleUntilPast);
    const listed = await listAll();
    expect(listed.sort(byId)).toEqual(rows.map(infoOf).sort(byId));
    for (const info of listed) expect(Object.keys(info).sort()).toEqual(Object.keys(infoOf(newRow())).sort());
  });

  test("P7: all goes through many sessions, none twice, while others are touched, created and ended", async () => {
    await subject.empty();
    const rows = Array.from({ length: MANY }, () => newRow({ userid: "listed", idle: HOUR }));
    await createRows(subject.a, rows);
    const ended = new Set<string>();
    const listed = await listAll(async (seen) => {
      await createRow(subject.a);
      const touch = { lifetime: HOUR * 24 };
      for (const { id } of seen.slice(-20)) await subject.a.change(id, { now: now + 60, touch });
      const seenIds = new Set(seen.map(({ id }) => id));
      const unseen = rows.find(({ id }) => !seenIds.has(id) && !ended.has(id));
      for (const id of [seen[0]?.id, unseen?.id]) {
        if (id === undefined || ended.has(id)) continue;
        ended.add(id);
        await subject.a.end(id);
      }
    });
    const listedIds = listed.map(({ id }) => id);
    expect(new Set(listedIds).size).toBe(listedIds.length);
    const lasting = rows.map(({ id }) => id).filter((id) => !ended.has(id));
    expect(new Set(listedIds)).toEqual(new Set([...listedIds, ...lasting]));
  });

  test("P7: stats count live, expired and signed-in sessions, and name the users with most", async () => {
    await subject.empty();
    const counts: [string, number][] = Array.from({ length: 12 }, (_, number) => [`user ${number} é`, 13 - number]);
    const rows = counts.flatMap(([userid, count]) => Array.from({ length: count }, () => newRow({ userid })));
    rows.push(...Array.from({ length: 5 }, () => newRow()));
    rows.push(...Array.from({ length: 4 }, () => newRow({ ...idleUntilPast, userid: "user 0 é" })));
    await Promise.all(rows.map((row) => subject.a.create(row)));
    const signedIn = counts.reduce((sum, [, count]) => sum + count, 0);
    const users = counts.slice(0, 10).map(([userid, sessions]) => ({ userid, sessions }));
    const expired = subject.capabilities.nativeExpiry ? 0 : 4;
    expect(await subject.b.stats(now)).toEqual({ live: signedIn + 5, expired, signedIn, users });
    await endUser(subject.a, "user 1 é");
    expect(await subject.b.stats(now)).toMatchObject({ live: signedIn + 5 - 12, signedIn: signedIn - 12 });
    expect((await subject.a.stats(now + HOUR)).live).toBe(signedIn + 5 - 12);
    expect(await subject.a.stats(now + HOUR + 1)).toMatchObject({ live: 0, signedIn: 0, users: [] });
  });

  test("S24: endAll ends every session, of users and guests, at most `limit` at a time", async () => {
    await subject.empty();
    const rows = Array.from({ length: 23 }, (_, number) =>
      newRow({ userid: number % 2 ? `user ${number % 5}` : null }),
    );
    await createRows(subject.a, rows);
    expect(await subject.b.endAll(10)).toBe(10);
    expect((await subject.a.stats(now)).live).toBe(13);
    expect(await endEverySession(subject.b, 10)).toBe(13);
    expect(await subject.b.endAll(10)).toBe(0);
    for (const row of rows) {
      expect(await stored(subject.a, row.id)).toBeUndefined();
      expect(await subject.a.change(row.id, { now, set: set({ a: 1 }) })).toBe("gone");
    }
    expect(await subject.a.listByUser("user 1", now, 10)).toEqual([]);
    expect(await subject.a.stats(now)).toEqual({ live: 0, expired: 0, signedIn: 0, users: [] });
    expect(await listAll()).toEqual([]);
  });

  test("F5: a row that was spoilt by hand hides no other, can be recognised, and can be ended", async (context) => {
    const { corrupt } = subject.store;
    context.skip(corrupt === undefined, "nobody can edit this store by hand");
    await subject.empty();
    const rows = Array.from({ length: 3 }, () => newRow({ userid: "victim", data: '{"a":1}' }));
    await createRows(subject.a, rows);
    const [spoilt, ...whole] = rows as [SessionRow, ...SessionRow[]];
    await corrupt?.(spoilt.id);
    await expectUnreadable(subject.a, spoilt.id, { now });
    const touch = { lifetime: HOUR, every: 60, secretHash: spoilt.secretHash };
    await expectUnreadable(subject.b, spoilt.id, { now: now + 600, touch });
    const changed = await changing(subject.a, spoilt.id, { now, set: set({ b: 2 }) }).catch((error: unknown) => error);
    if (typeof changed !== "string") expect(changed).toBeInstanceOf(UnreadableRow);
    const others = whole.map(({ id }) => id);
    expect((await subject.a.listByUser("victim", now, 10)).map(({ id }) => id)).toEqual(expect.arrayContaining(others));
    expect((await listAll()).map(({ id }) => id)).toEqual(expect.arrayContaining(others));
    await subject.a.stats(now);
    expect(await subject.a.end(spoilt.id)).toBe(true);
    expect(await stored(subject.a, spoilt.id)).toBeUndefined();
    for (const row of whole) expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
  });

  test("F5: endByUser and purge don't stumble over a spoilt row", async (context) => {
    const { corrupt } = subject.store;
    context.skip(corrupt === undefined, "nobody can edit this store by hand");
    const [spoilt, whole] = [
      await createRow(subject.a, { userid: "cleared" }),
      await createRow(subject.a, { userid: "cleared" }),
    ];
    await corrupt?.(spoilt.id);
    await subject.a.purge(START, 1000);
    expect((await endUser(subject.a, "cleared")).sort()).toEqual([spoilt.id, whole.id].sort());
    expect(await stored(subject.b, spoilt.id)).toBeUndefined();
  });
}

/** The driver says that it can't decode the row, or returns one that the runtime refuses: no hash of 32 bytes, no object. */
async function expectUnreadable(driver: SessionDriver, id: string, access: Access): Promise<void> {
  const read = await reading(driver, id, access).catch((error: unknown) => error);
  if (read instanceof Error) return expect(read).toBeInstanceOf(UnreadableRow);
  const { secretHash, data } = read as SessionRow;
  expect(secretHash.length === 32 && /^\{.*\}$/s.test(data)).toBe(false);
}
