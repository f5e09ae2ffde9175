// Purging by itself.
// Only the timer is fake here; the store is real.
import { expect, test, vi } from "vitest";
import { memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

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
    expect(target.events).toContainEqual({ type: "purged", count: 1 });
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
