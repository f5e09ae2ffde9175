// Requests that cross each other, or a connection that goes, a store that fails, a hook that throws: what must hold all the same.
// Uses the memory store, slowed down or put in an order of the test's choosing. Add a case for every race that is found.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { keepPrivate } from "../../runtime/src/session/cookie.ts";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { waitFor } from "../drivers/waiting.ts";
import { defaults } from "./defaults.ts";
import { type App, dataOf, open, Visitor, write } from "./visitor.ts";

async function app(settings: Partial<SessionSettings> = {}): Promise<App> {
  const opened = await open("memory", settings);
  if (opened === undefined) throw new Error("the memory store needs no server");
  return opened;
}

/** Every call of a driver's method goes through `pass` first. */
function intercept(driver: SessionDriver, names: (keyof SessionDriver)[], pass: (name: string) => Promise<void>): void {
  for (const name of names) {
    const method = (driver[name] as (...args: unknown[]) => Promise<never>).bind(driver);
    Object.assign(driver, {
      [name]: async (...args: unknown[]) => {
        await pass(name);
        return method(...args);
      },
    });
  }
}

const ALL = ["create", "read", "change", "end", "listByUser", "endByUser"] as const;

test("S10 S11 S13 S14: requests that overlap in any order lose no key and no increment, and an end is final", async () => {
  const step = fc.constantFrom("set", "update", "signIn", "renew", "destroy", "endFromElsewhere");
  const request = fc.array(step, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(request, { minLength: 2, maxLength: 4 }), async (scheduler, requests) => {
      const target = await app();
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

  test("S21: a limit that can't be enforced for the moment is told, and the sign-in stands", async () => {
    const target = await app({ maxPerUser: 1 });
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
    const target = await app({ maxDataBytes: 10_000 });
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
    const target = await app({ storeTimeout: 200 });
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
    expect(downs.filter(({ error }) => String(error).includes("did not answer"))).toHaveLength(1);
  });
});

describe("errors that a handler has dealt with", () => {
  test("S12: what is caught and answered at once is not held against the answer", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const visit = await target.sessions.begin(visitor.request());
    let saving: Promise<void> | undefined | "not asked" = "not asked";
    await visit.session
      .update(() => {
        throw new Error("sold out");
      })
      // As a handler that answers within its catch: not one turn of the event loop lies between.
      .catch(() => {
        saving = visit.finish();
      });
    expect(saving).toBeUndefined();
  });

  test("S11 S18: an update that is refused leaves nothing, for a guest as well", async () => {
    const target = await app({ maxDataBytes: 100 });
    const visitor = new Visitor(target);
    const { error, result } = await visitor.visit((session) =>
      session.update((data) => void Object.assign(data, { big: "x".repeat(200) })).catch(({ status }) => status),
    );
    expect([error, result, visitor.cookie]).toEqual([undefined, 413, undefined]);
  });

  test("S11: a write within an update that nobody waits for is refused, and the process lives", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    const { error } = await visitor.visit((session) =>
      session.update((data) => {
        void session.save();
        Object.assign(data, { more: 1 });
      }),
    );
    await new Promise((resume) => setImmediate(resume));
    process.off("unhandledRejection", note);
    expect([error, rejections]).toEqual([undefined, []]);
  });
});

test("S19: a hook that throws, or rejects, breaks neither the request nor the process", async () => {
  const target = await app();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const hooks = [
    () => {
      throw new Error("thrown");
    },
    async () => {
      throw new Error("rejected");
    },
  ];
  for (const onEvent of hooks) {
    const sessions = new Sessions({ driver: target.driver, settings: defaults, onEvent });
    const visitor = new Visitor({ ...target, sessions });
    expect((await visitor.visit(write("here", 1))).error).toBeUndefined();
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
  }
  await waitFor(() => warnings.length === 2);
  process.off("warning", note);
  expect(warnings.map(({ message }) => message)).toEqual(["thrown", "rejected"]);
});

describe("S20: what was opened outside the middleware", () => {
  test("S13 S20: it ends when another request renews the session: it was let in by the old token", async () => {
    const target = await app();
    const guest = new Visitor(target);
    await guest.visit(write("here", 1));
    const writing = await target.sessions.open(guest.request());
    const updating = await target.sessions.open(guest.request());
    await guest.visit((session) => session.signIn("ann"));
    dataOf(writing).evil = 1;
    await writing.save();
    const ran = await updating.update((data) => void Object.assign(data, { evil: 2 }));
    expect([writing.ended, updating.ended, ran]).toEqual([true, true, undefined]);
    expect((await guest.visit((session) => ({ ...session.data }))).result).toEqual({ here: 1 });
  });

  test("S20: what it renews itself stays open", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const session = await target.sessions.open(visitor.request());
    await session.signIn("ann");
    dataOf(session).more = 2;
    await session.save();
    await session.update((data) => void Object.assign(data, { most: 3 }));
    expect(session.ended).toBe(false);
    const again = await new Visitor(target, session.token).visit((one) => ({ ...one.data }));
    expect(again.result).toEqual({ here: 1, more: 2, most: 3 });
  });

  test("S6 S20: opening is an access, also on a store that can't touch while it reads", async () => {
    const target = await app({ idle: 1000 });
    const { read } = target.driver;
    target.driver.read = (id, { now }) => read.call(target.driver, id, { now });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    for (let count = 0; count < 3; count++) {
      target.now += 600;
      expect((await target.sessions.open(visitor.request())).exists).toBe(true);
    }
  });
});

describe("S5: paths that have no session", () => {
  test("S5: writing there by hand is refused by name, and by the way is told; nothing is stored, no cookie set", async () => {
    const target = await app({ skip: ["/x"] });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const before = visitor.cookie;
    const request = { url: "/x" };
    for (const act of ["save", "renew", "destroy"] as const) {
      expect(String((await visitor.visit((session) => session[act](), request)).error)).toContain("SESSION_SKIP");
    }
    expect(String((await visitor.visit((session) => session.update(() => {}), request)).error)).toContain("skip");
    expect(String((await visitor.visit((session) => session.signIn("ann"), request)).error)).toContain("skip");
    const quiet = await visitor.visit(write("lost", 1), request);
    expect([quiet.error, quiet.setCookie, quiet.headers.size]).toEqual([undefined, [], 0]);
    expect(target.events).toContainEqual({ type: "warning", message: expect.stringContaining("SESSION_SKIP") });
    expect(visitor.cookie).toBe(before);
    expect((await target.driver.stats(target.now)).live).toBe(1);
  });

  test("S17: a Bearer request is exempt from the check of origins there too", async () => {
    const target = await app({ skip: ["/x"] });
    const client = new Visitor(target);
    client.bearer = (await target.sessions.start(client.request())).token;
    const foreign = { method: "POST", url: "/x", headers: { "sec-fetch-site": "cross-site" } };
    expect((await client.visit(() => "served", foreign)).result).toBe("served");
  });
});

test('S2 S5: with start "visit" a client that starts its own session by POST gets no second one', async () => {
  const target = await app({ start: "visit" });
  const client = new Visitor(target);
  const request = client.request({ method: "POST" });
  const { setCookie } = await client.visit(() => target.sessions.start(request), { method: "POST" });
  expect(setCookie).toEqual([]);
  expect((await target.driver.stats(target.now)).live).toBe(1);
});

describe("S3: several cookies of one name", () => {
  test("S3: the first that is a session counts, behind malformed, unknown and old ones", async () => {
    const target = await app();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const old = visitor.token;
    await visitor.visit((session) => session.renew());
    const current = visitor.cookie as string;
    const unknown = `session=${"A".repeat(64)}`;
    for (const others of [["session=garbage"], [unknown], [`session=${old}`], ["session=", "x=1", unknown]]) {
      const cookie = [...others, current, "y=2"].join("; ");
      const { result, error } = await new Visitor(target).visit((session) => session.exists, { headers: { cookie } });
      expect([result, error], cookie).toEqual([true, undefined]);
    }
  });

  test("F6: of a thousand, three are looked for", async () => {
    const target = await app();
    let reads = 0;
    const { read } = target.driver;
    target.driver.read = (...args) => {
      reads++;
      return read.apply(target.driver, args);
    };
    const cookie = Array(1000)
      .fill(`session=${"A".repeat(64)}`)
      .join("; ");
    expect((await new Visitor(target).visit((session) => session.exists, { headers: { cookie } })).result).toBe(false);
    expect(reads).toBe(3);
  });
});

describe("S16: the lock", () => {
  test("S16: a client that has gone has no address, and doesn't lose its session for it", async () => {
    const target = await app({ ipAddressLock: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    for (const remoteAddress of ["", undefined]) {
      const gone = { ...visitor.request(), remoteAddress };
      expect((await target.sessions.begin(gone)).session.exists).toBe(false);
    }
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    expect(target.events.map(({ type }) => type)).toEqual(["created"]);
  });

  test("S16: a connection that goes while the store is asked counts with the address that it had", async () => {
    const target = await app({ ipAddressLock: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    intercept(target.driver, ["read"], () => new Promise((resume) => setTimeout(resume, 5)));
    const request = { ...visitor.request() };
    const begun = target.sessions.begin(request);
    request.remoteAddress = undefined;
    expect((await begun).session.exists).toBe(true);
  });

  test.each([
    ["IPv6, however it is spelt", {}, "2001:db8::1", "2001:0db8:0::0:1", "2001:db8::2"],
    ["an address behind a trusted proxy", { trustProxy: ["10.0.0.1"] }, "203.0.113.7", "203.0.113.7", "203.0.113.8"],
  ])("S16: %s", async (_, settings, first, same, other) => {
    const target = await app({ ipAddressLock: true, ...settings });
    const from = (address: string) =>
      "trustProxy" in settings
        ? { remoteAddress: "10.0.0.1", headers: { "x-forwarded-for": address } }
        : { remoteAddress: address };
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1), from(first));
    expect((await visitor.visit((session) => session.ipaddress, from(same))).result).toBe(first);
    expect((await visitor.visit((session) => session.exists, from(other))).result).toBe(false);
    expect((await visitor.visit((session) => session.exists, from(first))).result).toBe(false);
  });
});

describe("S23: shared caches", () => {
  test.each([
    [undefined, true, "no-store"],
    [undefined, false, "private"],
    ["public, max-age=0", true, "no-store"],
    ["public, max-age=0", false, "private"],
    ["public, max-age=7", true, "private, max-age=7"],
    ["max-age=5", true, "private, max-age=5"],
    ["PUBLIC, s-maxage=60, immutable", true, "private, immutable"],
    ["private, max-age=9", true, "private, max-age=9"],
    ["no-store", true, "no-store"],
    ["public, max-age=60", false, "public, max-age=60"],
  ])("S23: Cache-Control %s, with a token: %s, becomes %s", (given, carriesToken, expected) => {
    const headers = new Map(given === undefined ? [] : [["cache-control", given]]);
    keepPrivate(
      { get: (name) => headers.get(name), set: (name, value) => headers.set(name, value), appendCookie: () => {} },
      carriesToken,
    );
    expect(headers.get("cache-control")).toBe(expected);
  });
});

test("S8: purging comes by itself, again and again, and stops with the app", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const target = await app({ idle: 10, purgeEvery: 100 });
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
