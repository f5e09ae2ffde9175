// Sessions beside other session middleware, other copies of Express, and middleware that was written for other systems.
// Add a package that turns up beside sessions, as it is.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { RequestHandler } from "express";
import { describe, expect, test } from "vitest";
import type { Session } from "../../runtime/src/session/session.ts";
import { sessionMiddleware } from "../../templates/frameworks/express/files/src/session/adapter.ts";
import { app5, listen } from "./express.ts";
import { memoryApp } from "./memory.ts";
import { ask, resultOf } from "./served.ts";
import { dataOf, Visitor, write } from "./visitor.ts";

// Packages without types that agree with ours: express-session's give every request another session.
const require = createRequire(import.meta.url);
const express4 = require("express4") as typeof app5;
const flash = require("connect-flash") as () => RequestHandler;
const expressSession = require("express-session") as (options: object) => RequestHandler;

test("S26: an app with express-session in the same process is not disturbed", async () => {
  const app = await memoryApp();
  const ours = app5().use(sessionMiddleware(app.sessions), (request, response) => {
    response.json({ result: request.session.exists });
  });
  const theirs = app5().use(
    expressSession({ secret: "a", resave: false, saveUninitialized: true }),
    (request, response) => {
      const session = request.session as unknown as { views?: number };
      session.views = (session.views ?? 0) + 1;
      response.json({ result: session.views });
    },
  );
  const [one, other] = [await listen(ours), await listen(theirs)];
  expect(resultOf(await ask(app, one))).toBe(false);
  const first = await ask(app, other);
  expect(resultOf(await ask(app, other, { headers: { cookie: first.cookie } }))).toBe(2);
});

test("S26: where another middleware has put its session already, that one stays, and ours is saved all the same", async () => {
  const app = await memoryApp();
  const url = await listen(
    app5().use(
      (request, _response, next) => {
        Object.assign(request, { session: "theirs" });
        next();
      },
      sessionMiddleware(app.sessions),
      (request, response) => void response.json({ result: request.session }),
    ),
  );
  expect(await ask(app, url)).toMatchObject({ status: 200, body: '{"result":"theirs"}' });
});

test("S26: another copy of Express gets sessions as well", async () => {
  const app = await memoryApp();
  const server = express4();
  server.use(sessionMiddleware(app.sessions));
  server.get("/", (request, response) => {
    write("here", 1)(request.session);
    response.json({ result: request.session.exists });
  });
  const first = await ask(app, await listen(server));
  expect(first).toMatchObject({ status: 200, stored: [{ here: 1 }], cookie: expect.any(String) });
});

test("S26: an app of Express mounted on another, each with the middleware, is one session", async () => {
  const app = await memoryApp();
  const inner = app5().use(sessionMiddleware(app.sessions), (request, response) => {
    write("inner", 1)(request.session);
    response.json({ result: request.baseUrl });
  });
  const outer = app5().use(sessionMiddleware(app.sessions), (request, _response, next) => {
    write("outer", 1)(request.session);
    next();
  });
  const reply = await ask(app, `${await listen(outer.use("/inner", inner))}/inner`);
  expect(reply).toMatchObject({ body: '{"result":"/inner"}', stored: [{ outer: 1, inner: 1 }] });
  expect(reply.headers["set-cookie"]).toHaveLength(1);
});

test("S26: sessions of two kinds on one app are two, each with its cookie", async () => {
  const [one, other] = [await memoryApp(), await memoryApp({ name: "other" })];
  const url = await listen(
    app5().use(sessionMiddleware(one.sessions), sessionMiddleware(other.sessions), (request, response) => {
      write("here", 1)(request.session);
      response.end();
    }),
  );
  const reply = await ask(one, url);
  expect(reply.headers["set-cookie"]).toEqual([expect.stringMatching(/^session=/)]);
  expect([await one.stored(), await other.stored()]).toEqual([[{ here: 1 }], []]);
});

test.each([
  [true, 1],
  [1, 1],
  ["loopback", 1],
  [false, 0],
  [undefined, 0],
])('S16: Express with "trust proxy" %s and no SESSION_TRUST_PROXY: %i warning', async (trust, warnings) => {
  const app = await memoryApp();
  const server = app5();
  if (trust !== undefined) server.set("trust proxy", trust);
  const url = await listen(server.use(sessionMiddleware(app.sessions), (_request, response) => void response.end()));
  for (let count = 0; count < 2; count++) await ask(app, url);
  const message = expect.stringContaining("SESSION_TRUST_PROXY");
  expect(app.events).toEqual(Array(warnings).fill({ type: "warning", message }));
});

test("S16: no warning where sessions trust the proxy too", async () => {
  const app = await memoryApp({ trustProxy: 1 });
  const url = await listen(
    app5()
      .set("trust proxy", 1)
      .use(sessionMiddleware(app.sessions), (_request, response) => void response.end()),
  );
  await ask(app, url);
  expect(app.events).toEqual([]);
});

describe("S25: middleware that was written for other session systems", () => {
  test("S25: connect-flash is refused with an explanation instead of losing its messages", async () => {
    const app = await memoryApp();
    const url = await listen(
      app5().use(
        sessionMiddleware(app.sessions),
        flash(),
        ((request, response) => {
          (request as unknown as { flash(kind: string, text: string): void }).flash("info", "saved");
          response.end();
        }) as RequestHandler,
        (error: Error, _request: IncomingMessage, response: ServerResponse, _next: () => void) =>
          void response.writeHead(500).end(error.message),
      ),
    );
    const reply = await ask(app, url);
    expect(reply).toMatchObject({ status: 500, stored: [] });
    expect(reply.body).toContain("session.flash was set");
    expect(reply.body).toContain("session.data.flash");
  });

  /** As code of a CommonJS module without "use strict". */
  const sloppy = (body: string) => new Function("session", body) as (session: Session) => void;

  test.each([
    ["session.flash = []", "session.data.flash, and declare it in src/session-data.ts"],
    ["session.views++", "session.views was set"],
    [
      "session['keycloak-token'] = 1",
      'session["keycloak-token"] was set, but only session.data is stored: use session.data["keycloak-token"],',
    ],
    ["session['7'] = 1", 'use session.data["7"],'],
    ["session.cookie.maxAge = 1000", "session.cookie.maxAge was set, but has no effect: session.idle"],
    ["session.cookie.expires = new Date()", "session.cookie.expires was set"],
  ])("S25: %s names key and remedy, and nothing of the request is saved", async (code, message) => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const { error } = await visitor.visit((session) => {
      write("here", 2)(session);
      return sloppy(code)(session);
    });
    expect(error).toMatchObject({ name: "InvalidData", status: 500, statusCode: 500 });
    expect(String(error)).toContain(message);
    expect(await app.stored()).toEqual([{ here: 1 }]);
  });

  test.each(["cookie", "id", "token", "updated"])(
    "S25: assigning to session.%s throws in sloppy mode too",
    async (name) => {
      const visitor = new Visitor(await memoryApp());
      const { error } = await visitor.visit(sloppy(`session.${name} = "mine"`));
      expect(String(error)).toContain(`session.${name} can't be set`);
    },
  );

  test("S25: a save by hand is refused as well, and reading what isn't there is not", async () => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    const { error } = await visitor.visit((session) =>
      sloppy("if (!session.cookie.maxAge && !session.flash) 1")(session),
    );
    expect(error).toBeUndefined();
    const session = await app.sessions.open(visitor.request());
    sloppy("session.flash = 1")(session);
    await expect(session.save()).rejects.toThrow("session.flash was set");
    expect(Object.keys(dataOf(session))).toEqual([]);
  });

  test("S25: request.session can't be replaced in silence", async () => {
    const app = await memoryApp();
    const url = await listen(
      app5().use(
        sessionMiddleware(app.sessions),
        ((request) => {
          new Function("request", "request.session = null")(request);
        }) as RequestHandler,
        (error: Error, _request: IncomingMessage, response: ServerResponse, _next: () => void) =>
          void response.writeHead(500).end(error.message),
      ),
    );
    expect((await ask(app, url)).body).toContain("session.destroy()");
  });
});
