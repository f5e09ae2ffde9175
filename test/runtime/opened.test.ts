// Sessions that are opened outside the middleware: WebSockets and the like.
// Over a real WebSocket: express-sockets.test.ts.
import { describe, expect, test } from "vitest";
import { NodeRequest } from "../../runtime/src/session/request.ts";
import { memoryApp } from "./memory.ts";
import { dataOf, Visitor, write } from "./visitor.ts";

test("S20: sessions.open finds the session of an upgraded connection, and what it saves is there for requests", async () => {
  const target = await memoryApp();
  const visitor = new Visitor(target);
  await visitor.visit(write("here", 1));
  const session = await target.sessions.open(visitor.request({ headers: { upgrade: "websocket" } }));
  dataOf(session).socket = 2;
  await session.save();
  expect((await visitor.visit((session) => ({ ...dataOf(session) }))).result).toEqual({ here: 1, socket: 2 });
  expect(NodeRequest.prototype).toHaveProperty("header");
});

describe("S20: what was opened outside the middleware", () => {
  test("S13 S20: it ends when another request renews the session: it was let in by the old token", async () => {
    const target = await memoryApp();
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
    const target = await memoryApp();
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
    const target = await memoryApp({ idle: 1000 });
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
