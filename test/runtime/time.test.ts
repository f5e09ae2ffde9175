// When sessions expire and are touched, on each side of every boundary, with a clock that the test moves.
// Add a case for every new setting with a unit of time.
import { describe, expect, test } from "vitest";
import { backends, exists, setIdle, started } from "./backends.ts";
import { dataOf, maxAge, Visitor, write } from "./visitor.ts";

const DAY = 86_400;

describe.each(backends)("%s", (backend) => {
  test("S6: a session lives to the second of updated + idle, and not one longer", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, touchEvery: 100 });
    app.now += 1000;
    expect(await exists(visitor)).toBe(true);
    app.now += 1000;
    expect(await exists(visitor)).toBe(true);
    app.now += 1001;
    expect(await exists(visitor)).toBe(false);
    expect(app.events).toContainEqual(expect.objectContaining({ type: "expired" }));
  });

  test("S6: the last access is written at most once per touchEvery, and the cookie moves with it", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 10_000, touchEvery: 60 });
    const first = (await visitor.visit((session) => session.updated)).result ?? 0;
    app.now += 59;
    const early = await visitor.visit((session) => session.updated);
    expect(early.result).toBe(first);
    expect(early.setCookie).toEqual([]);
    app.now += 1;
    const due = await visitor.visit(() => {});
    expect(due.session?.updated).toBe(first + 60);
    expect(maxAge(due)).toBe(10_000);
    const again = await visitor.visit((session) => session.updated);
    expect(again.result).toBe(first + 60);
    expect(again.setCookie).toEqual([]);
  });

  test("S6: touchEvery is never more than a tenth of idle", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 100, touchEvery: 60 });
    app.now += 9;
    expect((await visitor.visit(() => {})).setCookie).toEqual([]);
    app.now += 1;
    expect(maxAge(await visitor.visit(() => {}))).toBe(100);
  });

  test("S6: `updated` never goes back, whatever another process's clock says", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 10_000 });
    app.now += 500;
    await visitor.visit(() => {});
    app.now -= 400;
    const answer = await visitor.visit((session) => {
      dataOf(session).more = 2;
      session.idle = 9000;
    });
    expect(answer.error).toBeUndefined();
    const row = await app.driver.read(answer.session?.id ?? "", { now: app.now });
    expect(row).toMatchObject({ updated: app.now + 400, idle: 9000, expires: app.now + 400 + 9000 });
  });

  test("S7: a session lives to the second of created + lifetime, however much it is used", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, lifetime: 2500, touchEvery: 10 });
    for (let second = 0; second < 2500; second += 500) {
      expect(await exists(visitor)).toBe(true);
      app.now += 500;
    }
    const last = await visitor.visit((session) => session.exists);
    expect(last.result).toBe(true);
    app.now += 1;
    expect(await exists(visitor)).toBe(false);
  });

  test("S7: the earlier limit wins in row and cookie alike", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, lifetime: 1500, touchEvery: 10 });
    app.now += 900;
    const answer = await visitor.visit(() => {});
    expect(maxAge(answer)).toBe(600);
    const row = await app.driver.read(answer.session?.id ?? "", { now: app.now });
    expect(row?.expires).toBe(app.now + 600);
  });

  test("S7: no lifetime means no absolute limit", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: DAY, lifetime: 0 });
    for (let day = 0; day < 100; day++) {
      app.now += DAY;
      expect(await exists(visitor)).toBe(true);
    }
  });

  test("S7: a session's own idle timeout counts for it alone, and moves the cookie", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, lifetime: 30 * DAY });
    const answer = await visitor.visit(setIdle(7 * DAY));
    expect(maxAge(answer)).toBe(7 * DAY);
    const other = new Visitor(app);
    await other.visit(write("here", 1));
    app.now += 7 * DAY;
    expect(await exists(visitor)).toBe(true);
    expect(await exists(other)).toBe(false);
    expect((await visitor.visit((session) => session.idle)).result).toBe(7 * DAY);
  });

  test("S7: an idle timeout that can't be is refused by name", async ({ skip }) => {
    const { visitor } = await started(backend, skip, { lifetime: 1000, idle: 100 });
    for (const idle of [0, -1, 1.5, Number.NaN, 1001]) {
      const answer = await visitor.visit(setIdle(idle));
      expect(String(answer.error)).toMatch(/^RangeError: session\.idle is/);
    }
  });

  test("S8: an expired session is invisible before any purge, to reads, writes and lists", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, lifetime: 0 });
    await visitor.visit((session) => session.signIn("ann"));
    expect(await app.sessions.list("ann")).toHaveLength(1);
    let late: unknown;
    await visitor.visit(async (session) => {
      app.now += 1001;
      dataOf(session).late = true;
      await session.save();
      late = session.ended;
    });
    expect(late).toBe(true);
    expect(await app.sessions.list("ann")).toEqual([]);
    expect(await exists(visitor)).toBe(false);
  });

  test("S8: purging removes what has expired, in batches, and resolves to how much", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 1000, lifetime: 0 });
    for (let count = 0; count < 600; count++) {
      await new Visitor(app).visit(write("here", 1));
    }
    app.now += 500;
    await visitor.visit(() => {});
    app.now += 501;
    expect(await app.sessions.purge()).toBe(app.nativeExpiry ? 0 : 600);
    if (!app.nativeExpiry)
      expect(app.events).toContainEqual({ type: "purged", count: 600, durationMs: expect.any(Number) });
    expect(await exists(visitor)).toBe(true);
  });

  test("S22: `fresh` says whether the sign-in was recent, to the second", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, {});
    expect((await visitor.visit((session) => session.fresh(900))).result).toBe(false);
    await visitor.visit((session) => session.signIn("ann"));
    app.now += 900;
    expect((await visitor.visit((session) => session.fresh(900))).result).toBe(true);
    app.now += 1;
    expect((await visitor.visit((session) => session.fresh(900))).result).toBe(false);
    await visitor.visit((session) => session.signIn("ann"));
    expect((await visitor.visit((session) => session.fresh(900))).result).toBe(true);
  });
});
