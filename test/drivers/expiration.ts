// What drivers promise about time: idle and absolute limit, touches, boundaries, and purging against touches.
// Change it when the rules of expiry change. Time is moved, never waited for.

import { expect, test } from "vitest";
import { type SessionRow, UNLIMITED } from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import { comparable, createRow, DAY, existing, HOUR, newHash, newRow, START, set, stored } from "./rows.ts";

const unlimited = { lifetime: UNLIMITED };

export function expiration(subject: Subject): void {
  const { touchesOnRead, nativeExpiry } = subject.capabilities;
  const touchedIf = (due: boolean, row: SessionRow, now: number, expires: number) =>
    comparable(due && touchesOnRead ? { ...row, updated: now, expires } : row);

  test("S6, S8: a session whose last second is now lives; a second later it is gone", async () => {
    const row = await createRow(subject.a, { userid: "boundary", idle: HOUR });
    const last = START + HOUR;
    expect(await subject.b.change(row.id, { now: last, set: set({ a: 1 }) })).toBe("done");
    expect(await subject.a.listByUser("boundary", last, 10)).toHaveLength(1);
    expect(await subject.a.purge(last, 1000)).toBe(0);
    expect(await subject.b.change(row.id, { now: last + 1, set: set({ b: 1 }), touch: unlimited })).toBe("gone");
    expect(await subject.a.listByUser("boundary", last + 1, 10)).toEqual([]);
    const late = await subject.a.read(row.id, {
      now: last + 1,
      touch: { ...unlimited, every: 60, secretHash: row.secretHash },
    });
    expect(late?.expires ?? 0).toBeLessThan(last + 1);
    const left = await stored(subject.b, row.id);
    if (!nativeExpiry) expect(left).toBeDefined();
    if (left) expect(comparable(left)).toEqual(comparable({ ...row, data: '{"a":1}' }));
  });

  test("S7, S8: a session whose deadline is past when it is created was never there", async () => {
    const past = { userid: "late", created: START - DAY, updated: START - DAY, idle: HOUR };
    const row = await createRow(subject.a, past);
    expect((await subject.b.read(row.id, { now: START }))?.expires ?? 0).toBeLessThan(START);
    expect(await subject.b.change(row.id, { now: START, set: set({ a: 1 }), touch: unlimited })).toBe("gone");
    expect(await subject.a.listByUser("late", START, 10)).toEqual([]);
    const limited = await createRow(subject.a, { created: START - DAY, updated: START, idle: HOUR, lifetime: HOUR });
    expect(limited.expires).toBeLessThan(START);
    expect(await subject.b.change(limited.id, { now: START, touch: { lifetime: HOUR } })).toBe("gone");
  });

  test("S6: a due touch is applied by the read that carries it, or left out: never half", async () => {
    const row = await createRow(subject.a, { idle: HOUR, userid: "toucher", data: '{"a":1}' });
    const touch = { ...unlimited, every: 60, secretHash: row.secretHash };
    for (const [now, due] of [
      [START, false],
      [START + 59, false],
      [START + 60, true],
    ] as const) {
      const read = await subject.a.read(row.id, { now, touch });
      expect(comparable(read)).toEqual(touchedIf(due, row, now, now + HOUR));
      expect(read?.touched ?? false).toBe(due && touchesOnRead);
      expect(comparable(await existing(subject.b, row.id))).toEqual(comparable(read));
    }
    const { version } = await existing(subject.a, row.id);
    expect(version, "a read's touch is no change").toBe(row.version);
  });

  test("S6: a short idle is touched after a tenth of it, never twice in a second", async () => {
    for (const [idle, interval] of [
      [105, 10],
      [19, 1],
      [5, 1],
    ] as const) {
      // Later than now, so that a backend with native expiry doesn't remove it meanwhile.
      const row = await createRow(subject.a, { idle, created: START + HOUR });
      const touch = { ...unlimited, every: 60, secretHash: row.secretHash };
      const now = row.updated + interval;
      expect(comparable(await subject.a.read(row.id, { now: now - 1, touch }))).toEqual(comparable(row));
      expect(comparable(await subject.a.read(row.id, { now, touch }))).toEqual(touchedIf(true, row, now, now + idle));
    }
  });

  test("S6: a session can be touched in its last second", async () => {
    const row = await createRow(subject.a, { idle: HOUR });
    const now = row.expires;
    const touch = { ...unlimited, every: 60, secretHash: row.secretHash };
    expect(comparable(await subject.a.read(row.id, { now, touch }))).toEqual(touchedIf(true, row, now, now + HOUR));
    expect(await subject.b.change(row.id, { now, touch })).toBe("done");
    expect(comparable(await stored(subject.b, row.id))).toEqual(
      comparable({ ...row, updated: now, expires: now + HOUR }),
    );
  });

  test("S3, S6: a touch with another secret, or of an expired session, is never applied", async () => {
    const row = await createRow(subject.a, { idle: HOUR });
    const wrong = { ...unlimited, every: 60, secretHash: newHash() };
    expect(comparable(await subject.a.read(row.id, { now: START + 600, touch: wrong }))).toEqual(comparable(row));
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
    const renewed = newHash();
    await subject.b.change(row.id, { now: START, secretHash: renewed });
    const old = { ...wrong, secretHash: row.secretHash };
    expect((await subject.a.read(row.id, { now: START + 600, touch: old }))?.updated).toBe(START);
    const right = { ...wrong, secretHash: renewed };
    await subject.a.read(row.id, { now: START + HOUR + 1, touch: right });
    expect((await stored(subject.b, row.id))?.updated ?? START).toBe(START);
  });

  test("S7: a touch never moves a session past its lifetime", async () => {
    const row = await createRow(subject.a, { idle: HOUR, lifetime: HOUR + 600 });
    const touch = { lifetime: HOUR + 600, every: 60, secretHash: row.secretHash };
    const now = START + 1000;
    const read = await subject.a.read(row.id, { now, touch });
    expect(comparable(read)).toEqual(touchedIf(true, row, now, START + HOUR + 600));
    expect(await subject.b.change(row.id, { now: now + 1000, touch })).toBe("done");
    const touched = { ...row, updated: now + 1000, expires: START + HOUR + 600 };
    expect(comparable(await stored(subject.a, row.id))).toEqual(comparable(touched));
  });

  test("S6: a change touches too; updated never goes back", async () => {
    const row = await createRow(subject.a, { idle: HOUR });
    expect(await subject.a.change(row.id, { now: START + 500, touch: unlimited, set: set({ a: 1 }) })).toBe("done");
    const touched = { ...row, data: '{"a":1}', updated: START + 500, expires: START + 500 + HOUR };
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(touched));
    expect(await subject.b.change(row.id, { now: START + 100, touch: unlimited })).toBe("done");
    expect(comparable(await stored(subject.a, row.id))).toEqual(comparable(touched));
    const earlier = { ...unlimited, every: 60, secretHash: row.secretHash };
    expect(comparable(await subject.a.read(row.id, { now: START + 100, touch: earlier }))).toEqual(comparable(touched));
    expect(await subject.a.change(row.id, { now: START + 600, set: set({ a: 2 }) })).toBe("done");
    expect((await existing(subject.b, row.id)).updated, "no touch asked for").toBe(START + 500);
  });

  test("S6, F7: of parallel touches the latest holds", async () => {
    const row = await createRow(subject.a, { idle: HOUR });
    const times = [700, 100, 900, 300, 800, 200];
    await Promise.all(
      times.map((seconds, index) => {
        const [driver, now] = [index % 2 ? subject.a : subject.b, START + seconds];
        if (index < 3) return driver.change(row.id, { now, touch: unlimited });
        return driver.read(row.id, { now, touch: { ...unlimited, every: 60, secretHash: row.secretHash } });
      }),
    );
    const latest = { ...row, updated: START + 900, expires: START + 900 + HOUR };
    expect(comparable(await stored(subject.a, row.id))).toEqual(comparable(latest));
  });

  test("S7: a changed idle moves the expiry, further or nearer, within the lifetime", async () => {
    const row = await createRow(subject.a, { idle: HOUR, lifetime: 10 * DAY, userid: "remember" });
    const touch = { lifetime: 10 * DAY };
    for (const [idle, expires] of [
      [30 * DAY, START + 10 * DAY],
      [5 * DAY, START + 5 * DAY + 60],
      [300, START + 360],
    ] as const) {
      expect(await subject.a.change(row.id, { now: START + 60, idle, touch })).toBe("done");
      expect(comparable(await stored(subject.b, row.id))).toEqual(
        comparable({ ...row, idle, updated: START + 60, expires }),
      );
      expect(await subject.a.listByUser("remember", expires, 10)).toHaveLength(1);
      expect(await subject.a.listByUser("remember", expires + 1, 10)).toEqual([]);
    }
    expect(await subject.b.change(row.id, { now: START + 361 })).toBe("gone");
  });

  test.runIf(!nativeExpiry)(
    "S8: purge removes what has expired, at most `limit` at a time, and nothing else",
    async () => {
      await subject.empty();
      const rows = Array.from({ length: 25 }, (_, number) => newRow({ idle: 100 + number * 10, userid: "purged" }));
      await Promise.all(rows.map((row) => subject.a.create(row)));
      const now = START + 100 + 120;
      expect(await subject.a.purge(now, 5)).toBe(5);
      expect(await subject.b.purge(now, 5)).toBe(5);
      expect(await subject.a.purge(now, 5)).toBe(2);
      expect(await subject.b.purge(now, 5)).toBe(0);
      const left = rows.filter((row) => row.expires >= now).map((row) => row.id);
      expect(left).toHaveLength(13);
      expect((await subject.b.listByUser("purged", START, 100)).map((row) => row.id).sort()).toEqual(left.sort());
      for (const row of rows) {
        const expected = row.expires < now ? undefined : comparable(row);
        expect(comparable(await stored(subject.b, row.id))).toEqual(expected);
      }
    },
  );

  test.runIf(!nativeExpiry)("S8, F7: parallel purges remove each session once", async () => {
    await subject.empty();
    await Promise.all(Array.from({ length: 40 }, () => createRow(subject.a, { idle: 100 })));
    let removed = 0;
    const purge = async (driver: typeof subject.a) => {
      for (let count = 1; count > 0; removed += count) count = await driver.purge(START + 101, 7);
    };
    await Promise.all([purge(subject.a), purge(subject.b), purge(subject.a)]);
    while (removed < 40) removed += await subject.a.purge(START + 101, 7);
    expect(removed).toBe(40);
    expect(await subject.a.endAll(100)).toBe(0);
  });

  test.runIf(nativeExpiry)("S8: where expiry is native there is nothing to purge", async () => {
    const row = await createRow(subject.a, { idle: 100 });
    expect(await subject.a.purge(START + 101, 1000)).toBe(0);
    expect(comparable(await stored(subject.a, row.id))).toEqual(comparable(row));
  });

  test("S8, S14: a session touched in time survives a purge that races; one that was purged stays gone", async () => {
    const touch = unlimited;
    const race = async (round: number) => {
      const row = await createRow(subject.a, { idle: 100, data: '{"n":0}' });
      const [first, second] = round % 2 ? [subject.a, subject.b] : [subject.b, subject.a];
      const change = () => first.change(row.id, { now: START + 100, set: set({ n: 1 }), touch });
      const purge = () => second.purge(START + 101, 1000);
      const racing = round % 3 ? ([change(), purge()] as const) : ([purge(), change()] as const);
      await Promise.all(racing);
      const result = await racing[round % 3 ? 0 : 1];
      const left = await stored(second, row.id, START + 100);
      if (result === "done") expect(comparable(left)).toMatchObject({ data: '{"n":1}', expires: START + 200 });
      else expect([result, left]).toEqual(["gone", undefined]);
    };
    for (let round = 0; round < 24; round += 4) await Promise.all([0, 1, 2, 3].map((step) => race(round + step)));
  });
}
