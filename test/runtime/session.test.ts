// What a session promises its handlers, on several backends: nothing lost, nothing revived, nothing adopted.
// Requests that overlap are steered by promises, never by time; `another()` is a second process on the same store.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { Session } from "../../runtime/src/session/session.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { parseToken } from "../../runtime/src/session/token.ts";
import { packs } from "../../scripts/packs.ts";
import { canonical } from "../drivers/rows.ts";
import { type App, dataOf, open, Visitor, write } from "./visitor.ts";

describe.each(packs("backends"))("%s", (backend) => {
  async function started(
    skip: () => void,
    settings: Partial<SessionSettings> = {},
  ): Promise<{ app: App; visitor: Visitor }> {
    const app = await open(backend, settings);
    if (app === undefined) {
      skip();
      throw new Error("skipped");
    }
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    return { app, visitor };
  }
  const stored = async (visitor: Visitor) => (await visitor.visit((session) => ({ ...dataOf(session) }))).result;

  test("S1: what is stored is the id and a hash: the secret is in no column", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const token = parseToken(visitor.token ?? "");
    const row = await app.driver.read(token?.id ?? "", { now: app.now });
    expect(Buffer.from(row?.secretHash ?? [])).toEqual(token?.secretHash);
    const secret = Buffer.from(visitor.token ?? "", "base64url").subarray(16);
    expect(Buffer.from(JSON.stringify(row)).includes(secret.toString("base64url").slice(1, -1))).toBe(false);
  });

  test("S3: unknown, wrong-secret and ended tokens are no session, are not adopted, and clear no cookie", async ({
    skip,
  }) => {
    const { app, visitor } = await started(skip);
    const known = Buffer.from(visitor.token ?? "", "base64url");
    const wrong = Buffer.concat([known.subarray(0, 16), Buffer.alloc(32, 7)]).toString("base64url");
    const unknown = Buffer.alloc(48, 9).toString("base64url");
    for (const token of [wrong, unknown]) {
      const stranger = new Visitor(app, token);
      const look = await stranger.visit((session) => session.exists);
      expect(look.result).toBe(false);
      expect(look.setCookie).toEqual([]);
      await stranger.visit(write("mine", true));
      expect(stranger.token).not.toBe(token);
      expect(parseToken(stranger.token ?? "")?.id).not.toBe(parseToken(token)?.id);
    }
    expect(await stored(visitor)).toEqual({ here: 1 });
  });

  test("S5: no row and no cookie until a handler writes", async ({ skip }) => {
    const { app } = await started(skip);
    const guest = new Visitor(app);
    const answer = await guest.visit((session) => [session.exists, session.id, session.token, session.data]);
    expect(answer.result).toEqual([false, "", "", {}]);
    expect(answer.setCookie).toEqual([]);
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test('S5: with start "visit" every visitor has a session, paths in `skip` have none', async ({ skip }) => {
    const { app } = await started(skip, { start: "visit" });
    const guest = new Visitor(app);
    expect((await guest.visit(() => {}, { url: "/health" })).setCookie).toEqual([]);
    expect((await guest.visit(() => {}, { url: "/health/live?x" })).setCookie).toEqual([]);
    expect((await guest.visit(() => {}, { url: "/healthy" })).setCookie).toHaveLength(1);
  });

  test("S9: any JSON under any key survives, and is noticed without a call, however deep", async ({ skip }) => {
    const { visitor, app } = await started(skip);
    const limits = app.driver.limits?.text;
    // Backslashes in keys confuse the JSON.parse of Node 24 (V8): see test/drivers/arbitraries.ts.
    const storable = (value: unknown) =>
      !JSON.stringify(value).includes("\\\\") && (limits === undefined || !hasText(value, limits.pattern));
    const key = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("__proto__", "constructor", "", "a.b", "$set", '"', "\\"),
    );
    await fc.assert(
      fc.asyncProperty(key, fc.jsonValue({ maxDepth: 5 }), fc.jsonValue(), async (key, value, deeper) => {
        fc.pre(storable([key, value, deeper]));
        await visitor.visit((session) => {
          for (const old of Object.keys(session.data)) delete dataOf(session)[old];
          dataOf(session)[key] = { list: [value] };
        });
        await visitor.visit((session) => {
          const { list } = dataOf(session)[key] as { list: unknown[] };
          expect(canonical(JSON.stringify(list))).toBe(canonical(JSON.stringify([value])));
          list.push(deeper);
        });
        const data = await stored(visitor);
        expect(Object.keys(data ?? {})).toEqual([key]);
        expect(canonical(JSON.stringify(data?.[key]))).toBe(canonical(JSON.stringify({ list: [value, deeper] })));
        expect(({} as Record<string, unknown>).list).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("S10: parallel requests keep each other's keys, in one process and in two", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const second = backend === "memory" ? app : await app.another();
    await visitor.visit((session) => Object.assign(session.data, { old: 1, gone: 1 }));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const tab = new Visitor(index % 2 ? app : second, visitor.token);
        return tab.visit((session) => {
          dataOf(session)[`key${index}`] = index;
          if (index === 7) delete dataOf(session).gone;
        });
      }),
    );
    const data = await stored(visitor);
    expect(Object.keys(data ?? {})).toHaveLength(202);
    expect(data).toMatchObject({ here: 1, old: 1, key0: 0, key199: 199 });
  });

  test("S10: nothing changed, nothing written", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const before = await app.driver.read(parseToken(visitor.token ?? "")?.id ?? "", { now: app.now });
    await visitor.visit((session) => {
      const data = dataOf(session);
      data.here = 2;
      data.here = 1;
      data.brief = true;
      delete data.brief;
    });
    const after = await app.driver.read(parseToken(visitor.token ?? "")?.id ?? "", { now: app.now });
    expect(after).toEqual(before);
  });

  test("S11: 1,000 parallel increments through update are 1,000, in one process and in two", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const second = backend === "memory" ? app : await app.another();
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        new Visitor(index % 2 ? app : second, visitor.token).visit((session) =>
          session.update((data) => {
            data.visits = (data.visits ?? 0) + 1;
          }),
        ),
      ),
    ).then((answers) => expect(answers.filter(({ error }) => error !== undefined)).toEqual([]));
    expect((await stored(visitor))?.visits).toBe(1000);
  });

  test("S11: update sees and saves what the request has written before, and its result is in `data`", async ({
    skip,
  }) => {
    const { visitor } = await started(skip);
    await visitor.visit(async (session) => {
      dataOf(session).before = 1;
      delete dataOf(session).here;
      const held = session.data;
      const result = await session.update((data) => {
        expect({ ...data }).toEqual({ before: 1 });
        data.visits = 7;
        return "done";
      });
      expect(result).toBe("done");
      expect({ ...held }).toEqual({ before: 1, visits: 7 });
    });
    expect(await stored(visitor)).toEqual({ before: 1, visits: 7 });
  });

  test("S11: an update within an update is refused instead of waiting for itself", async ({ skip }) => {
    const { visitor } = await started(skip);
    const answer = await visitor.visit((session) => session.update(() => session.save()));
    expect(String(answer.error)).toContain("would wait for itself");
  });

  test("S13: a sign-in while 50 requests are in flight keeps all their writes, and the old token is dead with its answer", async ({
    skip,
  }) => {
    const { app, visitor } = await started(skip);
    const old = visitor.token;
    const gate = Promise.withResolvers<void>();
    let inside = 0;
    const all = Promise.withResolvers<void>();
    const flying = Array.from({ length: 50 }, (_, index) =>
      new Visitor(app, old).visit(async (session) => {
        if (++inside === 50) all.resolve();
        await gate.promise;
        dataOf(session)[`key${index}`] = index;
      }),
    );
    await all.promise;
    await visitor.visit((session) => session.signIn("ann"));
    expect(visitor.token).not.toBe(old);
    expect((await new Visitor(app, old).visit((session) => session.exists)).result).toBe(false);
    gate.resolve();
    const answers = await Promise.all(flying);
    // An old cookie must not come over the new one.
    expect(answers.flatMap(({ setCookie }) => setCookie)).toEqual([]);
    expect(Object.keys((await stored(visitor)) ?? {})).toHaveLength(51);
  });

  test("S13: `userid` and `renew` give a new secret, the same id, the same data", async ({ skip }) => {
    const { visitor } = await started(skip);
    const tokens = [visitor.token];
    for (const handle of [
      (session: Parameters<Parameters<Visitor["visit"]>[0]>[0]) => {
        session.userid = "ann";
      },
      (session: Parameters<Parameters<Visitor["visit"]>[0]>[0]) => session.renew(),
      (session: Parameters<Parameters<Visitor["visit"]>[0]>[0]) => {
        session.userid = null;
      },
    ]) {
      await visitor.visit(handle);
      tokens.push(visitor.token);
    }
    expect(new Set(tokens).size).toBe(4);
    expect(new Set(tokens.map((token) => parseToken(token ?? "")?.id)).size).toBe(1);
    expect(await stored(visitor)).toEqual({ here: 1 });
    const same = visitor.token;
    await visitor.visit((session) => {
      session.userid = null;
    });
    expect(visitor.token).toBe(same);
  });

  test("S13: a slow request with the old token can't get hold of the renewed session", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const planted = new Visitor(app, visitor.token);
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = planted.visit(async (session) => {
      entered.resolve();
      await gate.promise;
      dataOf(session).slow = true;
      await session.renew();
    });
    await entered.promise;
    await visitor.visit((session) => session.signIn("ann"));
    gate.resolve();
    expect((await slow).setCookie).toEqual([]);
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
    expect(await stored(visitor)).toEqual({ here: 1, slow: true });
    expect((await planted.visit((session) => session.exists)).result).toBe(false);
  });

  test("S13: of two sign-ins at the same time, each answer's cookie works", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const other = new Visitor(app, visitor.token);
    const both = Promise.withResolvers<void>();
    let inside = 0;
    const signIn = (client: Visitor) =>
      client.visit(async (session) => {
        if (++inside === 2) both.resolve();
        await both.promise;
        await session.signIn("ann");
      });
    await Promise.all([signIn(visitor), signIn(other)]);
    expect(visitor.token).not.toBe(other.token);
    for (const client of [visitor, other]) {
      expect((await client.visit((session) => [session.userid, dataOf(session).here])).result).toEqual(["ann", 1]);
    }
  });

  test.for([
    ["the same process signs out", "destroy"],
    ["another process ends it", "another"],
    ["its user signs out everywhere", "endAll"],
    ["everybody's are ended", "everybody"],
    ["it expires and is purged", "purge"],
  ] as const)("S14: a request in flight never brings a session back when %s", async ([_, how], { skip }) => {
    const app = await open(backend, { lifetime: 0, idle: 1000 });
    if (app === undefined) return skip("its server is not here");
    const visitor = new Visitor(app);
    await visitor.visit(async (session) => {
      dataOf(session).here = 1;
      await session.signIn("ann");
    });
    const tries: [string, (client: Visitor) => Promise<boolean>][] = [
      ["data", (client) => slow(client, write("late", 1))],
      [
        "save",
        (client) =>
          slow(client, (session) => {
            write("late", 1)(session);
            return session.save();
          }),
      ],
      [
        "update",
        (client) => slow(client, (session) => session.update((data) => void Object.assign(data, { late: 1 }))),
      ],
      ["renew", (client) => slow(client, (session) => session.renew())],
      ["idle", (client) => slow(client, (session) => void Object.assign(session, { idle: 500 }))],
      ["userid", (client) => slow(client, (session) => void Object.assign(session, { userid: null }))],
    ];
    const entered: Promise<void>[] = [];
    const gate = Promise.withResolvers<void>();
    async function slow(client: Visitor, handle: Parameters<Visitor["visit"]>[0]): Promise<boolean> {
      const inside = Promise.withResolvers<void>();
      entered.push(inside.promise);
      const answer = await client.visit(async (session) => {
        inside.resolve();
        await gate.promise;
        await handle(session);
      });
      expect(answer.error).toBeUndefined();
      expect(answer.setCookie).toEqual([]);
      return answer.session?.ended ?? false;
    }
    const flying = tries.map(([, run]) => run(new Visitor(app, visitor.token)));
    await Promise.all(entered);
    const id = parseToken(visitor.token ?? "")?.id ?? "";
    if (how === "destroy") await visitor.visit((session) => session.destroy());
    if (how === "another") await (backend === "memory" ? app : await app.another()).sessions.end(id);
    if (how === "endAll") expect(await app.sessions.endByUser("ann")).toBe(1);
    if (how === "everybody") expect(await app.sessions.endAll()).toBe(1);
    if (how === "purge") {
      app.now += 1001;
      await app.sessions.purge();
    }
    gate.resolve();
    expect(await Promise.all(flying)).toEqual(tries.map(() => true));
    const row = await app.driver.read(id, { now: app.now });
    if (app.nativeExpiry && how === "purge") expect(row?.expires ?? 0).toBeLessThan(app.now);
    else expect(row).toBeUndefined();
    expect((await app.driver.stats(app.now)).live).toBe(0);
  });

  test("S14: a sign-in in a session that was ended meanwhile starts a new one", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const id = parseToken(visitor.token ?? "")?.id ?? "";
    const answer = await visitor.visit(async (session) => {
      await app.sessions.end(id);
      await session.signIn("ann");
      return session.userid;
    });
    expect(answer.result).toBe("ann");
    expect(answer.session?.id).not.toBe(id);
    expect((await visitor.visit((session) => [session.userid, { ...session.data }])).result).toEqual(["ann", {}]);
  });

  test("S14: destroy clears the cookie, and what the same request writes afterwards is dropped", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const answer = await visitor.visit(async (session) => {
      await session.destroy();
      dataOf(session).after = 1;
    });
    expect(answer.setCookie).toEqual(["session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]);
    expect((await app.driver.stats(app.now)).live).toBe(0);
  });

  test("S14: destroy drops what a request has written to a session that is not stored yet", async ({ skip }) => {
    const { app } = await started(skip);
    const answer = await new Visitor(app).visit(async (session) => {
      dataOf(session).here = 1;
      session.userid = "ann";
      await session.destroy();
    });
    expect(answer.setCookie).toEqual([]);
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test("S15: list, end and endAll work on a user's own, and show no secret", async ({ skip }) => {
    const { app } = await started(skip);
    const visitors = [new Visitor(app), new Visitor(app), new Visitor(app)];
    for (const visitor of visitors) await visitor.visit((session) => session.signIn("ann"));
    const other = new Visitor(app);
    await other.visit((session) => session.signIn("Ann"));
    const list = await app.sessions.list("ann");
    expect(list).toHaveLength(3);
    for (const info of list) expect(info).not.toHaveProperty("secretHash");
    expect(await app.sessions.endByUser("ann", { except: list[0]?.id })).toBe(2);
    expect(await app.sessions.list("ann")).toHaveLength(1);
    expect(await app.sessions.end(list[0]?.id ?? "")).toBe(true);
    expect(await app.sessions.end(list[0]?.id ?? "")).toBe(false);
    expect((await other.visit((session) => session.userid)).result).toBe("Ann");
  });

  test("S18: data beyond maxDataBytes is refused with 413 and the stored data stays; it may still shrink", async ({
    skip,
  }) => {
    const { app, visitor } = await started(skip, { maxDataBytes: 100 });
    const answer = await visitor.visit((session) => {
      dataOf(session).small = 1;
      dataOf(session).large = "é".repeat(50);
    });
    expect(answer.error).toMatchObject({ name: "DataTooLarge", status: 413 });
    expect(await stored(visitor)).toEqual({ here: 1 });
    const update = await visitor.visit((session) =>
      session.update((data) => void Object.assign(data, { large: "x".repeat(100) })),
    );
    expect(update.error).toMatchObject({ status: 413 });
    await app.driver.change(parseToken(visitor.token ?? "")?.id ?? "", {
      now: app.now,
      set: new Map([["large", JSON.stringify("x".repeat(200))]]),
    });
    expect((await visitor.visit(write("large", "x".repeat(150)))).error).toBeUndefined();
    expect((await visitor.visit(write("large", "x".repeat(160)))).error).toMatchObject({ status: 413 });
  });

  test("S21: signing in beyond maxPerUser ends the oldest, with an event", async ({ skip }) => {
    const { app } = await started(skip, { maxPerUser: 2 });
    const visitors = [new Visitor(app), new Visitor(app), new Visitor(app)];
    for (const visitor of visitors) {
      app.now += 1;
      await visitor.visit((session) => {
        session.userid = "ann";
      });
    }
    const alive = await Promise.all(
      visitors.map(async (visitor) => (await visitor.visit((session) => session.exists)).result),
    );
    expect(alive).toEqual([false, true, true]);
    expect(app.events).toContainEqual(expect.objectContaining({ type: "ended", reason: "limit", userid: "ann" }));
  });

  test("S13, S4: a slow request that moves the cookie's expiry does not repeat a token that a sign-in has replaced", async ({
    skip,
  }) => {
    const { app, visitor } = await started(skip, { idle: 10_000 });
    const second = backend === "memory" ? app : await app.another();
    for (const [here, move] of [
      [app, () => {}],
      [second, setIdle(9000)],
    ] as const) {
      app.now += 61;
      second.now = app.now;
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const slow = new Visitor(app, visitor.token).visit(async (session) => {
        entered.resolve();
        await gate.promise;
        move(session);
        // Slower than what counts as fast: then it asks the store, whichever process has signed in.
        await new Promise((resume) => setTimeout(resume, 150));
      });
      await entered.promise;
      await new Visitor(here, visitor.token).visit(async (session) => {
        await session.signIn("ann");
        visitor.cookie = `session=${session.token}`;
      });
      gate.resolve();
      expect((await slow).setCookie).toEqual([]);
    }
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
  });

  test("S13: a fast one neither, in the process of the sign-in", async ({ skip }) => {
    const { app, visitor } = await started(skip, { idle: 10_000 });
    app.now += 61;
    const fast = await new Visitor(app, visitor.token).visit(async () => {
      await visitor.visit((session) => session.signIn("ann"));
    });
    expect(fast.setCookie).toEqual([]);
  });

  test("S13: signing out by `userid = null` counts, even if the session is renewed meanwhile", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    await visitor.visit((session) => session.signIn("ann"));
    const answer = await new Visitor(app, visitor.token).visit(async (session) => {
      await visitor.visit((other) => other.renew());
      session.userid = null;
    });
    expect(answer.session?.ended).toBe(true);
    expect((await visitor.visit((session) => session.exists)).result).toBe(false);
  });

  test("S13: a renewal whose answer came too late is the request's own", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const { change } = app.driver;
    await visitor.visit(async (session) => {
      dataOf(session).before = 1;
      app.driver.change = async (...args) => {
        await change.apply(app.driver, args);
        throw new StoreUnavailable("too late");
      };
      await expect(session.renew()).rejects.toThrow("too late");
      app.driver.change = change;
    });
    expect(await stored(visitor)).toEqual({ here: 1, before: 1 });
  });

  test("S18: many large writes in parallel stay within the limit together", async ({ skip }) => {
    const { app, visitor } = await started(skip, { maxDataBytes: 10_000 });
    const second = backend === "memory" ? app : await app.another();
    const entered: Promise<void>[] = [];
    const gate = Promise.withResolvers<void>();
    const answers = Array.from({ length: 20 }, (_, index) => {
      const inside = Promise.withResolvers<void>();
      entered.push(inside.promise);
      return new Visitor(index % 2 ? app : second, visitor.token).visit(async (session) => {
        inside.resolve();
        await gate.promise;
        dataOf(session)[`key${index}`] = "x".repeat(4000);
      });
    });
    await Promise.all(entered);
    gate.resolve();
    const refused = (await Promise.all(answers)).filter(({ error }) => error !== undefined);
    expect(refused).toHaveLength(18);
    for (const { error } of refused) expect(error).toMatchObject({ status: 413 });
    expect(JSON.stringify(await stored(visitor)).length).toBeLessThan(10_000);
  });

  test("S10, S11: what is changed while an update runs is kept", async ({ skip }) => {
    const { visitor } = await started(skip);
    await visitor.visit(async (session) => {
      const gate = Promise.withResolvers<void>();
      const updated = session.update(async (data) => {
        await gate.promise;
        data.visits = 1;
      });
      dataOf(session).mine = 1;
      gate.resolve();
      await updated;
    });
    expect(await stored(visitor)).toEqual({ here: 1, mine: 1, visits: 1 });
  });

  test("S11: an update that throws leaves nothing, with a session and without one", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const guest = new Visitor(app);
    for (const client of [visitor, guest]) {
      const answer = await client.visit((session) =>
        session.update((data) => {
          data.visits = 1;
          throw new Error("not paid");
        }),
      );
      expect(String(answer.error)).toBe("Error: not paid");
      expect(answer.setCookie).toEqual([]);
    }
    expect(await stored(visitor)).toEqual({ here: 1 });
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test("S11: an update that never ends holds up the others for a while only", async ({ skip }) => {
    const { app, visitor } = await started(skip, { storeTimeout: 500 });
    const entered = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const stuck = new Visitor(app, visitor.token).visit((session) =>
      session.update(async () => {
        entered.resolve();
        await end.promise;
      }),
    );
    await entered.promise;
    const next = await visitor.visit((session) => session.update((data) => void Object.assign(data, { visits: 1 })));
    expect(next.error).toBeUndefined();
    end.resolve();
    await stuck;
    expect(await stored(visitor)).toEqual({ here: 1, visits: 1 });
  });

  test("S12: a write that no handler has waited for fails the request, not the process", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    app.driver.change = async () => {
      throw new StoreUnavailable("down");
    };
    const answer = await visitor.visit((session) => {
      void session.update((data) => void Object.assign(data, { visits: 1 }));
    });
    expect(answer.error).toMatchObject({ status: 503 });
  });

  test("S22: a sign-in that could not be saved has not happened", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const { change } = app.driver;
    const answer = await visitor.visit(async (session) => {
      app.driver.change = async () => {
        throw new StoreUnavailable("down");
      };
      await expect(session.signIn("ann")).rejects.toThrow("down");
      app.driver.change = change;
      await expect(session.update(() => session.signIn("mallory"))).rejects.toThrow("would wait for itself");
    });
    expect(answer.setCookie).toEqual([]);
    expect((await visitor.visit((session) => session.userid)).result).toBe(null);
  });

  test("S12: what is set while a save is under way is saved by the next one", async ({ skip }) => {
    const { visitor } = await started(skip);
    await visitor.visit(async (session) => {
      dataOf(session).first = 1;
      const saving = session.save();
      session.userid = "ann";
      dataOf(session).second = 2;
      await saving;
    });
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
    expect(await stored(visitor)).toEqual({ here: 1, first: 1, second: 2 });
  });

  test("S12: what could not be saved is saved by the next try", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    const { change } = app.driver;
    await visitor.visit(async (session) => {
      session.userid = "ann";
      app.driver.change = async () => {
        throw new StoreUnavailable("down");
      };
      await expect(session.save()).rejects.toThrow("down");
      app.driver.change = change;
    });
    expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
  });

  test("S22: signIn always renews the secret, as the same user too, and notes the time", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    await visitor.visit((session) => session.signIn("ann"));
    const first = visitor.token;
    app.now += 100;
    await visitor.visit((session) => session.signIn("ann"));
    expect(visitor.token).not.toBe(first);
    expect((await visitor.visit((session) => session.authenticated)).result).toBe(app.now);
    expect((await new Visitor(app, first).visit((session) => session.exists)).result).toBe(false);
  });

  test("F5: a row that can't be read is no session and an event, and the visitor can start anew", async ({ skip }) => {
    const { app, visitor } = await started(skip);
    if (app.corrupt === undefined) return skip();
    await app.corrupt(parseToken(visitor.token ?? "")?.id ?? "");
    const answer = await visitor.visit((session) => session.exists);
    expect(answer).toMatchObject({ result: false, error: undefined });
    expect(app.events).toContainEqual(expect.objectContaining({ type: "unreadable" }));
    await visitor.visit(write("anew", 1));
    expect(await stored(visitor)).toEqual({ anew: 1 });
  });

  test.for([
    ["created", Number.MAX_SAFE_INTEGER],
    ["updated", -1],
    ["expires", 1e15],
    ["idle", 0.5],
    ["version", 2 ** 63],
  ] as const)("F5: a row whose %s has become %d is no session and an event", async ([column, value], { skip }) => {
    const app = await open(backend);
    if (app === undefined) return skip("its server is not here");
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const { read } = app.driver;
    app.driver.read = async (...args) => {
      const row = await read.apply(app.driver, args);
      return row && { ...row, [column]: value };
    };
    expect(await visitor.visit((session) => session.exists)).toMatchObject({ result: false, error: undefined });
    expect(app.events).toContainEqual(expect.objectContaining({ type: "unreadable" }));
  });

  test.for(["nonsense", "[1]", "null", '{"a":'])(
    "F5: data that has become %s is no session and an event",
    async (data, { skip }) => {
      const app = await open(backend);
      if (app === undefined) return skip("its server is not here");
      const visitor = new Visitor(app);
      await visitor.visit(write("here", 1));
      const { read } = app.driver;
      app.driver.read = async (...args) => {
        const row = await read.apply(app.driver, args);
        return row && { ...row, data };
      };
      expect(await visitor.visit((session) => session.exists)).toMatchObject({ result: false, error: undefined });
      expect(app.events).toContainEqual(expect.objectContaining({ type: "unreadable" }));
    },
  );
});

function setIdle(seconds: number): (session: Session) => void {
  return (session) => {
    session.idle = seconds;
  };
}

function hasText(value: unknown, pattern: RegExp): boolean {
  if (typeof value === "string") return pattern.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => pattern.test(key) || hasText(item, pattern));
}
