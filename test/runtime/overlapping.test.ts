// Requests that overlap, in an order of the test's choosing.
// Add a case for every race that is found.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { intercept, memoryApp } from "./memory.ts";
import { type App, dataOf, open, Visitor, write } from "./visitor.ts";

const ALL = ["create", "read", "change", "end", "listByUser", "endByUser"] as const;

test("S10 S11 S13 S14: requests that overlap in any order lose no key and no increment, and an end is final", async () => {
  const step = fc.constantFrom("set", "update", "signIn", "renew", "destroy", "endFromElsewhere");
  const request = fc.array(step, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(request, { minLength: 2, maxLength: 4 }), async (scheduler, requests) => {
      const target = await memoryApp();
      const visitor = new Visitor(target);
      await visitor.visit(write("count", 0));
      const id = (await visitor.visit((session) => session.id)).result as string;
      const old = visitor.token;
      intercept(target.driver, [...ALL], (name) => scheduler.schedule(Promise.resolve(), name));
      let increments = 0;
      const running = requests.map(async (steps, number) => {
        const own = new Visitor(target, old);
        const { error, result } = await own.visit(async (session) => {
          const had = session.exists;
          for (const one of steps) {
            if (one === "set") dataOf(session)[`key${number}`] = steps.length;
            if (one === "update") {
              const done = await session.update((data) => {
                (data as Record<string, number>).count = ((data as Record<string, number>).count ?? 0) + 1;
                return true;
              });
              if (done && session.id === id && !session.ended) increments++;
            }
            if (one === "signIn") await session.signIn(`user${number}`);
            if (one === "renew") await session.renew();
            if (one === "destroy") await session.destroy();
            if (one === "endFromElsewhere") await target.sessions.end(id);
          }
          return had && !session.ended && session.id === id;
        });
        expect(error).toBeUndefined();
        return { steps, kept: result };
      });
      await scheduler.waitFor(Promise.all(running));
      const finished = await Promise.all(running);
      const row = await scheduler.waitFor(Promise.resolve(target.driver.read(id, { now: target.now })));
      const isEnded = requests.flat().some((one) => one === "endFromElsewhere") || row === undefined;
      if (isEnded) return;
      const data = JSON.parse(row?.data ?? "{}") as Record<string, number>;
      expect(data.count).toBe(increments);
      for (const [number, { steps, kept }] of finished.entries()) {
        if (kept && steps.includes("set")) expect(data[`key${number}`]).toBe(steps.length);
      }
    }),
    { numRuns: 150 },
  );
});

describe("S21: the limit of sessions per user", () => {
  test.each([
    ["memory", 1, 2],
    ["memory", 2, 3],
    ["sqlite", 1, 5],
  ])(
    "S21 F7: %s, with a limit of %i, %i sign-ins at once leave exactly that many",
    async (backend, maxPerUser, signIns) => {
      const target = (await open(backend, { maxPerUser })) as App;
      const apps = backend === "memory" ? [target] : [target, await target.another()];
      for (const { driver } of apps) {
        intercept(driver, ["create", "listByUser", "end"], () => new Promise((resume) => setTimeout(resume, 5)));
      }
      const visitors = Array.from({ length: signIns }, (_, number) => new Visitor(apps[number % apps.length] as App));
      const answers = await Promise.all(visitors.map((visitor) => visitor.visit((session) => session.signIn("ann"))));
      for (const { error } of answers) expect(error).toBeUndefined();
      const live = await target.sessions.list("ann");
      expect(live).toHaveLength(maxPerUser);
      const alive = [];
      for (const visitor of visitors) {
        // Who was ended got no cookie that would push out another one's.
        if (visitor.cookie === undefined) continue;
        if ((await visitor.visit((session) => session.userid)).result === "ann") alive.push(visitor);
      }
      expect(alive).toHaveLength(maxPerUser);
    },
  );

  test("S21: a limit that can't be enforced for the moment is reported, and the sign-in stands", async () => {
    const target = await memoryApp({ maxPerUser: 1 });
    const visitor = new Visitor(target);
    const { listByUser } = target.driver;
    target.driver.listByUser = async () => {
      throw new StoreUnavailable("down");
    };
    expect((await visitor.visit((session) => session.signIn("ann"))).error).toBeUndefined();
    target.driver.listByUser = listByUser;
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
    expect(target.events).toContainEqual({ type: "warning", message: expect.stringContaining("not enforced: down") });
  });
});

describe("large writes", () => {
  test("S18: keys replaced in parallel stay within the limit together", async () => {
    const target = await memoryApp({ maxDataBytes: 10_000 });
    const visitor = new Visitor(target);
    await visitor.visit(write("draft", "x".repeat(9000)));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        new Visitor(target, visitor.token).visit(async (session) => {
          void session.data;
          await new Promise((resume) => setTimeout(resume, 10));
          session.data = { [`draft${number}`]: "y".repeat(9000) } as never;
        }),
      ),
    );
    expect(answers.filter(({ error }) => error === undefined).length).toBeGreaterThan(0);
    const { result } = await visitor.visit((session) => Buffer.byteLength(JSON.stringify(session.data)));
    expect(result).toBeLessThanOrEqual(10_000);
  });

  test("F1: those that wait in line for a store that hangs don't wait one after the other", async () => {
    const target = await memoryApp({ storeTimeout: 200 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    target.driver.change = () => new Promise(() => {});
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, number) =>
        new Visitor(target, visitor.token).visit(write(`key${number}`, "x".repeat(1000))),
      ),
    );
    const downs = answers.filter(({ error }) => error instanceof StoreUnavailable);
    expect(downs).toHaveLength(10);
    expect(downs.filter(({ error }) => String(error).includes("did not respond"))).toHaveLength(1);
  });
});
