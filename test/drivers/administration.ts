// What drivers promise to an administrator: pages, counts, ending everything, and rows that someone has spoilt by hand.
// Change it when page, stats or endAll change.

import { expect, test } from "vitest";
import { type SessionRow, UnreadableRow } from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import { comparable, createRow, HOUR, newRow, reading, START, set, stored } from "./rows.ts";

const now = START;
const idleUntilPast = { created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR };

export function administration(subject: Subject): void {
  async function allPages(limit: number, between?: (page: number) => Promise<void>): Promise<SessionRow[]> {
    const rows: SessionRow[] = [];
    for (let page = 1; page <= 1000; page++) {
      const after = rows.at(-1)?.id;
      const next = await subject.b.page({ now, limit, ...(after !== undefined && { after }) });
      expect(next.length).toBeLessThanOrEqual(limit);
      if (next.length === 0) return rows;
      rows.push(...next);
      await between?.(page);
    }
    throw new Error("the pages don't end");
  }

  test("P7: pages show every live session once, in the binary order of their ids", async () => {
    await subject.empty();
    const starts = ["-", "_", "0", "9", "A", "Z", "a", "z", "aa", "aA", "Aa", "a-", "a_", "--", "__", "Zz", "zZ"];
    const rows = starts.map((start) => newRow({ id: start.padEnd(22, "x") }));
    rows.push(...Array.from({ length: 20 }, (_, number) => newRow({ userid: `user${number % 3}`, data: '{"a":1}' })));
    await Promise.all(rows.map((row) => subject.a.create(row)));
    await createRow(subject.a, idleUntilPast);
    const expected = rows.sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const limit of [1, 7, 36, 37, 100])
      expect((await allPages(limit)).map(comparable)).toEqual(expected.map(comparable));
  });

  test("P7: sessions that come and go between pages neither repeat nor hide the others", async () => {
    await subject.empty();
    const rows = await Promise.all(Array.from({ length: 30 }, () => createRow(subject.a)));
    const seen = await allPages(4, async (page) => {
      await createRow(subject.a);
      if (page < 8) await subject.a.end(rows[page]?.id ?? "");
    });
    const seenIds = seen.map((row) => row.id);
    expect(new Set(seenIds).size).toBe(seenIds.length);
    expect(seenIds).toEqual([...seenIds].sort());
    for (const row of [...rows.slice(0, 1), ...rows.slice(8)]) expect(seenIds).toContain(row.id);
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
    await subject.a.endByUser("user 1 é");
    expect(await subject.b.stats(now)).toMatchObject({ live: signedIn + 5 - 12, signedIn: signedIn - 12 });
    expect((await subject.a.stats(now + HOUR)).live).toBe(signedIn + 5 - 12);
    expect(await subject.a.stats(now + HOUR + 1)).toMatchObject({ live: 0, signedIn: 0, users: [] });
  });

  test("S24: endAll ends every session, of users and guests, and counts them", async () => {
    await subject.empty();
    const rows = Array.from({ length: 23 }, (_, number) =>
      newRow({ userid: number % 2 ? `user ${number % 5}` : null }),
    );
    await Promise.all(rows.map((row) => subject.a.create(row)));
    expect(await subject.b.endAll()).toBe(23);
    expect(await subject.b.endAll()).toBe(0);
    for (const row of rows) {
      expect(await stored(subject.a, row.id)).toBeUndefined();
      expect(await subject.a.change(row.id, { now, set: set({ a: 1 }) })).toBe("gone");
    }
    expect(await subject.a.listByUser("user 1", now, 10)).toEqual([]);
    expect(await subject.a.stats(now)).toEqual({ live: 0, expired: 0, signedIn: 0, users: [] });
    expect(await allPages(10)).toEqual([]);
  });

  test("F5: a row that was spoilt by hand is UnreadableRow, hides no other, and can be ended", async (context) => {
    const { corrupt } = subject.store;
    context.skip(corrupt === undefined, "nobody can edit this store by hand");
    await subject.empty();
    const rows = await Promise.all(
      Array.from({ length: 3 }, () => createRow(subject.a, { userid: "victim", data: '{"a":1}' })),
    );
    const [spoilt, ...whole] = rows as [SessionRow, ...SessionRow[]];
    await corrupt?.(spoilt.id);
    await expect(reading(subject.a, spoilt.id, { now })).rejects.toBeInstanceOf(UnreadableRow);
    const touch = { lifetime: HOUR, every: 60, secretHash: spoilt.secretHash };
    await expect(reading(subject.b, spoilt.id, { now: now + 600, touch })).rejects.toBeInstanceOf(UnreadableRow);
    const changed = await subject.a.change(spoilt.id, { now, set: set({ b: 2 }) }).catch((error: unknown) => error);
    if (typeof changed !== "string") expect(changed).toBeInstanceOf(UnreadableRow);
    const readable = new Set(whole.map((row) => row.id));
    expect(new Set((await subject.a.listByUser("victim", now, 10)).map((row) => row.id))).toEqual(readable);
    for (const limit of [1, 2, 10]) expect(new Set((await allPages(limit)).map((row) => row.id))).toEqual(readable);
    await subject.a.stats(now);
    expect(await subject.a.end(spoilt.id)).toBe(true);
    expect(await stored(subject.a, spoilt.id)).toBeUndefined();
    for (const row of whole) expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
  });

  test("P7, F5: a page of nothing but spoilt rows is not the end", async (context) => {
    const { corrupt } = subject.store;
    context.skip(corrupt === undefined, "nobody can edit this store by hand");
    await subject.empty();
    const rows = ["B", "C", "D", "E", "F", "G"].map((start) => newRow({ id: start.padEnd(22, "x") }));
    for (const row of rows) await subject.a.create(row);
    for (const row of rows.slice(1, 5)) await corrupt?.(row.id);
    const whole = [rows[0], rows[5]].map((row) => row?.id);
    for (const limit of [1, 2, 3, 4]) expect((await allPages(limit)).map((row) => row.id)).toEqual(whole);
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
    expect((await subject.a.endByUser("cleared")).sort()).toEqual([spoilt.id, whole.id].sort());
    expect(await stored(subject.b, spoilt.id)).toBeUndefined();
  });
}
