// Signing in and out, and new secrets, on every backend: no write in flight is lost, no old token works.
// Requests that overlap are steered by promises, never by time; `another()` is a second process on the same store.
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { Session } from "../../runtime/src/session/session.ts";
import { parseToken } from "../../runtime/src/session/token.ts";
import { backends, setIdle, started, stored } from "./backends.ts";
import { dataOf, Visitor } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("S13: a sign-in while 50 requests are in flight keeps all their writes, and the old token is dead with its response", async ({
    skip,
  }) => {
    const { app, visitor } = await started(backend, skip);
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
    const { visitor } = await started(backend, skip);
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
    const { app, visitor } = await started(backend, skip);
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

  test.for([
    ["update", (session) => session.update((data) => void Object.assign(data, { visits: 1 }))],
    ["an update that changes nothing", (session) => session.update(() => "unchanged")],
    ["reload", (session) => session.reload()],
  ] as const satisfies [string, (session: Session) => Promise<unknown>][])(
    "S13: nor by %s, which reads the session again",
    async ([_, readAgain], { skip }) => {
      const { app, visitor } = await started(backend, skip);
      const planted = new Visitor(app, visitor.token);
      const answer = await planted.visit(async (session) => {
        await visitor.visit((own) => own.signIn("ann"));
        await readAgain(session);
        await session.renew();
        return [session.userid, session.authenticated];
      });
      expect([answer.result, answer.setCookie]).toEqual([[null, 0], []]);
      expect((await planted.visit((session) => session.exists)).result).toBe(false);
      expect((await visitor.visit((session) => session.userid)).result).toBe("ann");
    },
  );

  test("S13: of two sign-ins at the same time, each response's cookie works", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
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

  test("S13, S4: a slow request that moves the cookie's expiry does not repeat a token that a sign-in has replaced", async ({
    skip,
  }) => {
    const { app, visitor } = await started(backend, skip, { idle: 10_000 });
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

  test("S13: a fast request does not repeat a replaced token either, within one process", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip, { idle: 10_000 });
    app.now += 61;
    const fast = await new Visitor(app, visitor.token).visit(async () => {
      await visitor.visit((session) => session.signIn("ann"));
    });
    expect(fast.setCookie).toEqual([]);
  });

  test("S13: signing out by `userid = null` counts, even if the session is renewed meanwhile", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    await visitor.visit((session) => session.signIn("ann"));
    const answer = await new Visitor(app, visitor.token).visit(async (session) => {
      await visitor.visit((other) => other.renew());
      session.userid = null;
    });
    expect(answer.session?.ended).toBe(true);
    expect((await visitor.visit((session) => session.exists)).result).toBe(false);
  });

  test("S13: a renewal whose result came too late is the request's own", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
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

  test("S22: a sign-in that could not be saved has not happened", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
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

  test("S22: signIn always renews the secret, as the same user too, and notes the time", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    await visitor.visit((session) => session.signIn("ann"));
    const first = visitor.token;
    app.now += 100;
    await visitor.visit((session) => session.signIn("ann"));
    expect(visitor.token).not.toBe(first);
    expect((await visitor.visit((session) => session.authenticated)).result).toBe(app.now);
    expect((await new Visitor(app, first).visit((session) => session.exists)).result).toBe(false);
  });
});
