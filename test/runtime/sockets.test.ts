// Busy sockets: each access keeps their session alive, and an end elsewhere reaches them. socket.io over real HTTP.
// Over plain WebSockets of a real app: express-sockets.test.ts.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as SocketServer } from "socket.io";
import { io } from "socket.io-client";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Session } from "../../runtime/src/session/session.ts";
import { sessionMiddleware } from "../../templates/frameworks/express/files/src/session/adapter.ts";
import { memoryApp } from "./memory.ts";
import { type App, dataOf, Visitor, write } from "./visitor.ts";

type Access = [string, (session: Session) => Promise<unknown>];

const accesses: Access[] = [
  ["save with nothing to save", (session) => session.save()],
  [
    "update that changes something",
    (session) => session.update((data) => void Object.assign(data, { at: Math.random() })),
  ],
  ["update that changes nothing", (session) => session.update(() => "unchanged")],
  ["reload", (session) => session.reload()],
  [
    "save with something to save",
    (session) => {
      dataOf(session).at = Math.random();
      return session.save();
    },
  ],
];

/** A driver that can't touch while it reads, as those of some stores can't. */
function withoutTouch({ driver }: App): void {
  const { read } = driver;
  driver.read = (id, { now }) => read.call(driver, id, { now });
}

describe.each(accesses)("%s", (_, access) => {
  test.each([false, true])("S20: keeps the session of a busy socket from expiring (plain read: %s)", async (plain) => {
    const app = await memoryApp({ idle: 3 });
    if (plain) withoutTouch(app);
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const session = await app.sessions.open(visitor.request());
    for (let second = 0; second < 10; second++) {
      app.now += 1;
      await access(session);
    }
    expect(session.ended).toBe(false);
    expect((await visitor.visit((one) => one.exists)).result).toBe(true);
  });

  test("S20: lets a socket know that its session was ended elsewhere", async () => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    await visitor.visit((session) => session.signIn("ann"));
    const session = await app.sessions.open(visitor.request());
    await visitor.visit((one) => one.destroy());
    await access(session);
    expect([session.ended, session.exists, session.userid]).toEqual([true, false, null]);
    expect(await app.stored()).toEqual([]);
  });

  test("S20 S13: lets a socket know that its session has another secret by now", async () => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const session = await app.sessions.open(visitor.request());
    await visitor.visit((one) => one.signIn("ann"));
    await access(session);
    expect([session.ended, session.userid]).toEqual([true, null]);
    expect(await app.stored()).toEqual([{ here: 1 }]);
  });

  test("S20: lets an event stream, whose headers are long sent, know of an end elsewhere", async () => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const requestSession = await app.sessions.begin(visitor.request());
    const { session } = requestSession;
    const headers = { get: () => undefined, set() {}, remove() {}, appendCookie() {} };
    await requestSession.complete(200, headers);
    requestSession.writeHeaders(headers);
    await app.sessions.endAll();
    await access(session);
    expect(session.ended).toBe(true);
  });
});

test("S10: a save with nothing to save costs a request nothing", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  let calls = 0;
  for (const method of ["read", "change"] as const) {
    const original = app.driver[method].bind(app.driver) as (...args: unknown[]) => never;
    app.driver[method] = (...args: unknown[]) => {
      calls++;
      return original(...args);
    };
  }
  await visitor.visit((session) => session.save());
  expect(calls).toBe(1);
});

test("S20: reload shows what others have stored, in place, and keeps what isn't saved yet", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  const session = await app.sessions.open(visitor.request());
  const held = dataOf(session);
  held.mine = true;
  await visitor.visit((one) => Object.assign(one.data, { here: 2, more: 3 }));
  await session.reload();
  expect({ ...held }).toEqual({ here: 2, more: 3, mine: true });
  await session.save();
  expect(await app.stored()).toEqual([{ here: 2, more: 3, mine: true }]);
});

describe("socket.io", () => {
  async function serve(app: App, handle: (session: Session) => unknown): Promise<{ server: Server; url: string }> {
    const server = createServer();
    const sockets = new SocketServer(server, { allowUpgrades: false });
    sockets.engine.use(sessionMiddleware(app.sessions));
    sockets.on("connection", (socket) => {
      const { session } = socket.request as unknown as { session: Session };
      socket.on("act", async (respond: (result: unknown) => void) => respond(await handle(session)));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void sockets.close());
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test.each(["websocket", "polling"] as const)(
    "S20 S26: io.engine.use(sessionMiddleware) gives %s connections their session",
    async (transport) => {
      const app = await memoryApp({ idle: 3 });
      const visitor = new Visitor(app);
      await visitor.visit(write("here", 1));
      const { url } = await serve(app, async (session) => {
        app.now += 1;
        if (session.exists) await session.update((data) => void Object.assign(data, { said: app.now }));
        return [session.exists, session.ended, { ...dataOf(session) }];
      });
      const extraHeaders = { cookie: visitor.cookie as string };
      const client = io(url, { transports: [transport], extraHeaders, reconnection: false });
      onTestFinished(() => void client.close());
      await new Promise<void>((resolve, reject) => {
        client.on("connect", resolve);
        client.on("connect_error", reject);
      });
      for (let second = 0; second < 6; second++) {
        expect(await client.emitWithAck("act")).toEqual([true, false, { here: 1, said: app.now }]);
      }
      expect(await app.stored()).toEqual([{ here: 1, said: app.now }]);
      await app.sessions.endAll();
      expect(await client.emitWithAck("act")).toEqual([false, true, {}]);
    },
  );

  test("S17: a page of another site can't open one", async () => {
    const app = await memoryApp();
    const visitor = new Visitor(app);
    await visitor.visit(write("here", 1));
    const { url } = await serve(app, () => "served");
    const client = io(url, {
      transports: ["websocket"],
      extraHeaders: { cookie: visitor.cookie as string, origin: "https://evil.example" },
      reconnection: false,
    });
    onTestFinished(() => void client.close());
    const [error] = await Promise.race([
      new Promise<[unknown]>((resolve) => client.on("connect_error", (reason) => resolve([reason]))),
      new Promise<[unknown]>((resolve) => client.on("connect", () => resolve(["connected"]))),
    ]);
    expect(error).toBeInstanceOf(Error);
    expect(app.events.map(({ type }) => type)).toContain("crossOrigin");
  });
});
