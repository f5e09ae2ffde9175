// What sessions promise handlers, over real HTTP in every framework.
// Add a case for what a handler may do with its session; how it may respond is in adapters.test.ts.

import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { Session } from "../../runtime/src/session/session.ts";
import { newToken } from "../../runtime/src/session/token.ts";
import type {} from "../../templates/base/files/src/example/actions.ts";
import { type Handle, write } from "./adapter.ts";
import { ask, fixtureOf, frameworks, resultOf, serveFixture } from "./served.ts";
import { dataOf } from "./visitor.ts";

describe.each(frameworks)("%s", (framework) => {
  describe("update", () => {
    /** The handler of a request that has loaded the session before another request changes it. */
    async function overtaken(first: (session: Session) => void, second: (session: Session) => void, last: Handle) {
      const loaded = Promise.withResolvers<void>();
      const changed = Promise.withResolvers<void>();
      const handles: Handle[] = [
        first,
        async (session) => {
          loaded.resolve();
          await changed.promise;
          return last(session);
        },
        second,
      ];
      const { app, url } = await serveFixture(framework, (session) => (handles.shift() as Handle)(session));
      const { cookie } = await ask(app, `${url}/handle`);
      const slow = ask(app, `${url}/handle`, { headers: { cookie } });
      await loaded.promise;
      await ask(app, `${url}/handle`, { headers: { cookie } });
      changed.resolve();
      return { app, reply: await slow };
    }

    test("S11: what a callback leaves as it was is what the store holds, not what the request has loaded", async () => {
      const { app } = await overtaken(
        (session) => write(session, {}, "cart"),
        (session) => write(session, { apple: 1 }, "cart"),
        (session) => session.update((data) => void Object.assign(data, { cart: {} })),
      );
      expect(await app.stored()).toEqual([{ cart: {} }]);
    });

    test("S11: what a callback that changes nothing returns is true of the store", async () => {
      const { reply } = await overtaken(
        (session) => write(session, false, "reserved"),
        (session) => write(session, true, "reserved"),
        (session) => session.update((data) => (data as Record<string, unknown>).reserved !== true),
      );
      expect(resultOf(reply)).toBe(false);
    });

    test("S11 S14: a callback that changes nothing resolves to undefined if the session has ended", async () => {
      const { app, url } = await serveFixture(framework, async (session) => {
        if (!session.exists) return session.start();
        await app.sessions.endAll();
        return [(await session.update(() => "unchanged")) ?? "ended", session.ended];
      });
      const { cookie } = await ask(app, `${url}/handle`);
      expect(resultOf(await ask(app, `${url}/handle`, { headers: { cookie } }))).toEqual(["ended", true]);
    });
  });

  describe("Bearer", () => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

    test.each(["unknown", "ended", "renewed"])(
      "S2: a write with a token that is %s is 401 and leaves no row; reading, signing in and sessions.start work",
      async (kind) => {
        let handle: Handle = (session) => session.start();
        const { app, url } = await serveFixture(framework, (session) => handle(session));
        const started = await app.sessions.start({
          raw: {},
          method: "POST",
          url: "/",
          header: () => undefined,
          host: "a",
          remoteAddress: "127.0.0.1",
          isHttps: false,
        });
        const token = kind === "unknown" ? newToken().text : started.token;
        if (kind !== "renewed") await app.sessions.endAll();
        else await started.renew();
        const before = await app.stored();
        const send = (one: Handle) => {
          handle = one;
          return ask(app, `${url}/handle`, { headers: bearer(token) });
        };
        const writes: Handle[] = [
          (session) => write(session),
          (session) => session.update((data) => void Object.assign(data, { visits: 1 })),
          (session) => session.save().then(() => write(session)),
          (session) => session.start(),
        ];
        for (const one of writes) {
          const reply = await send(one);
          expect(reply).toMatchObject({ status: 401, cookie: undefined, stored: before });
          expect(reply.headers["www-authenticate"] ?? "Bearer").toContain("Bearer");
        }
        expect(await send((session) => session.exists)).toMatchObject({ status: 200, body: '{"result":false}' });
        const signedIn = await send(async (session) => {
          write(session);
          await session.signIn("ann");
          return session.token;
        });
        expect(signedIn).toMatchObject({ status: 200, cookie: undefined });
        handle = (session) => session.userid;
        const next = await ask(app, `${url}/handle`, { headers: bearer(resultOf(signedIn) as string) });
        expect(resultOf(next)).toBe("ann");
      },
    );

    test.each(["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "sk_live_0123456789", "x".repeat(63), "x".repeat(65)])(
      "S2: %s is somebody else's token: the request counts as one without",
      async (foreign) => {
        const { app, url } = await serveFixture(framework, (session) => {
          write(session);
          return session.bearer;
        });
        const reply = await ask(app, `${url}/handle`, { headers: bearer(foreign) });
        expect(reply).toMatchObject({ status: 200, body: '{"result":false}', cookie: expect.any(String) });
        expect(await app.stored()).toEqual([{ here: 1 }]);
      },
    );
  });

  describe("mounted twice", () => {
    test("S26: the middleware on the app and on a router below it is one session and one cookie", async () => {
      const { app, url } = await serveFixture(framework, (session) => session.signIn("ann"));
      const reply = await ask(app, `${url}/nested`);
      expect(reply).toMatchObject({ status: 200, stored: [{ outer: 1 }] });
      expect(reply.headers["set-cookie"]).toHaveLength(1);
      expect(await app.sessions.list("ann")).toHaveLength(1);
      const next = await ask(app, `${url}/nested`, { headers: { cookie: reply.cookie } });
      expect(next.headers["set-cookie"]).toHaveLength(1);
      expect((await app.sessions.list("ann"))[0]?.id).toBe((await app.sessions.list("ann")).at(-1)?.id);
    });
  });

  describe("where handlers find it", () => {
    test("S27: in an error handler, an empty one where the request was refused or the store is down", async () => {
      const { errorsLackSession } = await fixtureOf(framework);
      const { app, url } = await serveFixture(framework);
      const { cookie } = await ask(app, `${url}/text`);
      const thrown = await ask(app, `${url}/throws`, { headers: { cookie } });
      expect(thrown).toMatchObject({ status: 418, body: '{"error":"broken"}' });
      const headers = { cookie, "sec-fetch-site": "cross-site" };
      const refused = await ask(app, `${url}/text`, { method: "POST", headers });
      app.driver.read = () => {
        throw new StoreUnavailable("down");
      };
      const down = await ask(app, `${url}/text`, { headers: { cookie } });
      app.driver.read = async () => {
        throw new StoreUnavailable("down");
      };
      const downLater = await ask(app, `${url}/text`, { headers: { cookie } });
      expect([refused.status, down.status, downLater.status]).toEqual([403, 503, 503]);
      if (errorsLackSession) return;
      expect([thrown, refused, down, downLater].map((reply) => reply.headers["x-session"])).toEqual([
        "true",
        "false",
        "false",
        "false",
      ]);
    });

    test("S27: in a 404 handler", async () => {
      const { app, url } = await serveFixture(framework);
      const reply = await ask(app, `${url}/nowhere`);
      expect(reply).toMatchObject({ status: 404, body: expect.stringMatching(/nothing (here for null|at this)/i) });
    });
  });

  describe("what isn't a property of a session", () => {
    const foreign: [string, Handle, string][] = [
      ["a property", (session) => void Object.assign(session, { flash: ["saved"] }), "session.flash"],
      ["a counter", (session) => void (session as unknown as { views: number }).views++, "session.views"],
      ["a method", (session) => void Object.assign(session, { save: () => {} }), "session.save"],
      [
        "a property of its cookie",
        (session) => {
          (session as unknown as { cookie: { maxAge: number } }).cookie.maxAge = 1000;
        },
        "session.cookie.maxAge",
      ],
    ];
    test.each(foreign)("S25: %s set by other middleware is an error that names key and remedy", async (_, set) => {
      const { app, url } = await serveFixture(framework, (session) => {
        write(session);
        return set(session);
      });
      const reply = await ask(app, `${url}/handle`);
      expect(reply).toMatchObject({ status: 500, cookie: undefined, stored: [] });
    });

    test("S25: callbacks of destroy and save are called, with the error if there is one", async () => {
      const called: unknown[] = [];
      const call = (session: Session, method: "save" | "destroy") =>
        new Promise<void>((resolve) => {
          (session[method] as (callback: (error?: unknown) => void) => unknown)((error) => {
            called.push(error instanceof Error ? error.message : error);
            resolve();
          });
        });
      const { app, url } = await serveFixture(framework, async (session) => {
        write(session);
        await call(session, "save");
        const { end } = app.driver;
        app.driver.end = async () => {
          throw new StoreUnavailable("down");
        };
        await call(session, "destroy");
        app.driver.end = end;
        await call(session, "destroy");
      });
      expect(await ask(app, `${url}/handle`)).toMatchObject({ status: 200, stored: [] });
      expect(called).toEqual([undefined, "down", undefined]);
    });
  });

  test("S17: allowedOrigins and allowedPaths open what is refused otherwise, with an event that names them", async () => {
    const settings = { allowedOrigins: ["capacitor://localhost"], allowedPaths: ["/handle"] };
    const { app, url } = await serveFixture(framework, (session) => session.start(), settings);
    const post = (path: string, headers: Record<string, string>) => ask(app, url + path, { method: "POST", headers });
    for (const origin of ["null", "https://idp.example"]) {
      const headers = { origin, "sec-fetch-site": "cross-site" };
      expect((await post("/handle", headers)).status).toBe(200);
      expect((await post("/handle?from=idp", headers)).status).toBe(200);
    }
    const refused = await post("/elsewhere?secret=1", { origin: "https://evil.example" });
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("another site");
    expect(refused.body).not.toMatch(/SESSION_|127\.0\.0\.1/);
    const { host } = new URL(url);
    const message = expect.stringMatching(
      /https:\/\/evil\.example.*127\.0\.0\.1:\d+.*SESSION_ALLOWED_ORIGINS.*SESSION_ALLOWED_PATHS/,
    );
    const event = { type: "crossOrigin", method: "POST", path: "/elsewhere", host, message };
    expect(app.events).toContainEqual({ ...event, origin: "https://evil.example" });
    expect((await post("/elsewhere", { origin: "capacitor://localhost" })).status).not.toBe(403);
  });

  test("S28: the id of a visitor without a session is undefined", async () => {
    const { app, url } = await serveFixture(framework, (session) => [session.id === undefined, session.token === ""]);
    expect(resultOf(await ask(app, `${url}/handle`))).toEqual([true, true]);
  });

  test("S12: what is written after the response is an event", async () => {
    const written = Promise.withResolvers<void>();
    const { app, url } = await serveFixture(framework, (session) => {
      if (!session.exists) return session.start();
      void dataOf(session);
      setTimeout(() => {
        write(session, 1, "late");
        written.resolve();
      }, 50);
      return undefined;
    });
    const { cookie } = await ask(app, `${url}/handle`);
    await ask(app, `${url}/handle`, { headers: { cookie } });
    await written.promise;
    await expect
      .poll(() => app.events)
      .toContainEqual({ type: "warning", message: expect.stringContaining("after the response") });
    expect(await app.stored()).toEqual([{}]);
  });
});
