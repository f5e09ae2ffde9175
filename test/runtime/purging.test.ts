// Long work: purging, which comes by itself, and ending many sessions.
// Only the timer is fake here; the stores are real.
import { expect, test, vi } from "vitest";
import type { SessionRow } from "../../runtime/src/session/contract.ts";
import { newToken } from "../../runtime/src/session/token.ts";
import { initialColumns } from "../../templates/base/files/src/session-columns.ts";
import { createRows } from "../drivers/rows.ts";
import { memoryApp } from "./memory.ts";
import { type App, open, Visitor, write } from "./visitor.ts";

test("S8: purging comes by itself, again and again, and stops with the app", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const target = await memoryApp({ idle: 10, purgeEvery: 100 });
    const { purge } = target.driver;
    let purges = 0;
    target.driver.purge = (...args) => {
      purges++;
      return purge.apply(target.driver, args);
    };
    await new Visitor(target).visit(write("here", 1));
    target.now += 11;
    // Jitter makes it half the time to one and a half of it.
    await vi.advanceTimersByTimeAsync(49_000);
    expect(purges).toBe(0);
    await vi.advanceTimersByTimeAsync(101_000);
    expect(purges).toBeGreaterThan(0);
    expect(target.events).toContainEqual({ type: "purged", count: 1, durationMs: expect.any(Number) });
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(purges).toBeGreaterThan(5);
    await target.sessions.close();
    const after = purges;
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(purges).toBe(after);
  } finally {
    vi.useRealTimers();
  }
});

test.each(["memory", "sqlite"])(
  "F10: %s lets requests through while many sessions are purged or ended",
  async (backend) => {
    const target = (await open(backend)) as App;
    const rowsOf = (userid: string | null, expires: number): SessionRow[] =>
      Array.from({ length: 1000 }, () => {
        const { id, secretHash } = newToken();
        const times = { created: target.now, updated: target.now, authenticated: 0, idle: 10, expires };
        const client = { ipaddress: "192.0.2.1", useragent: "test" };
        return { id, secretHash, userid, ...times, ...client, columns: initialColumns, data: "{}", version: 1 };
      });
    const { driver, sessions, now } = target;
    const work = [
      ["purge", null, now - 1, () => sessions.purge()],
      ["endByUser", "ann", now + 10, () => sessions.endByUser("ann")],
      ["endAll", "bob", now + 10, () => sessions.endAll()],
    ] as const;
    for (const [method, userid, expires, run] of work) {
      await createRows(driver, rowsOf(userid, expires));
      let turns = 0;
      let turning = true;
      const turn = () => {
        turns++;
        if (turning) setImmediate(turn);
      };
      turn();
      const seen: number[] = [];
      const original = driver[method].bind(driver) as (...args: unknown[]) => Promise<never>;
      Object.assign(driver, {
        [method]: (...args: unknown[]) => {
          seen.push(turns);
          return original(...args);
        },
      });
      expect(await run()).toBe(1000);
      turning = false;
      // One statement for each hundred, and a turn of the event loop between any two.
      expect(seen.length).toBeGreaterThanOrEqual(10);
      expect(new Set(seen).size).toBe(seen.length);
    }
  },
);
