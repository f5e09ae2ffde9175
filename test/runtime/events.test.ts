// What is reported of sessions and of the store: which event when, several hooks, times of store calls.
// Add a case for a new event.
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { SessionEvent } from "../../runtime/src/session/events.ts";
import type { Session } from "../../runtime/src/session/session.ts";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import type { StoreCall } from "../../runtime/src/session/store-calls.ts";
import { waitFor } from "../drivers/waiting.ts";
import { backends, started } from "./backends.ts";
import { defaults } from "./defaults.ts";
import { memoryApp } from "./memory.ts";
import { type App, Visitor, write } from "./visitor.ts";

/** Another Sessions on the app's driver, as main.ts would make it with these hooks. */
function withHooks(app: App, hooks: Partial<ConstructorParameters<typeof Sessions>[0]>): Visitor {
  app.sessions = new Sessions({ driver: app.driver, settings: defaults, ...hooks });
  return new Visitor(app);
}

/** What `work` does to the events: those that it adds, without the session's id. */
async function during(app: App, work: () => Promise<unknown>): Promise<object[]> {
  app.events.length = 0;
  await work();
  return app.events.map((event) => {
    const { id: _, ...rest } = event as SessionEvent & { id?: string };
    return rest;
  });
}

describe.each(backends)("%s", (backend) => {
  test("S13 S19 S22: signing in, out and renewal are events of their own", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const does = (work: Parameters<typeof visitor.visit>[0], who = visitor) => during(app, () => who.visit(work));

    expect(await does((session) => session.renew())).toEqual([{ type: "renewed", userid: null }]);
    expect(await does((session) => session.signIn("ann"))).toEqual([{ type: "signedIn", userid: "ann" }]);
    expect(await does((session) => session.renew())).toEqual([{ type: "renewed", userid: "ann" }]);
    expect(await does((session) => session.signIn("ann"))).toEqual([{ type: "signedIn", userid: "ann" }]);
    const become = (userid: string | null) => (session: Session) => {
      session.userid = userid;
    };
    expect(await does(become("bob"))).toEqual([
      { type: "signedOut", userid: "ann" },
      { type: "signedIn", userid: "bob" },
    ]);
    expect(await does(become(null))).toEqual([{ type: "signedOut", userid: "bob" }]);
    expect(await does(write("here", 2))).toEqual([]);
    expect(await does((session) => session.signIn("cyd"), new Visitor(app))).toEqual([
      { type: "created", userid: "cyd" },
      { type: "signedIn", userid: "cyd" },
    ]);
  });

  test("S19 S24: ending everybody's sessions is an event", async ({ skip }) => {
    const { app } = await started(backend, skip);
    await app.sessions.endAll();
    expect(await during(app, () => new Visitor(app).visit(write("here", 1)))).toHaveLength(1);
    expect(await during(app, () => app.sessions.endAll())).toEqual([{ type: "endedAll", count: 1 }]);
  });

  test("S19: each call of the store is timed, and nothing of what it carries is told", async ({ skip }) => {
    const { app } = await started(backend, skip);
    const calls: StoreCall[] = [];
    const visitor = withHooks(app, { onStoreCall: (call) => calls.push(call) });
    await visitor.visit(write("here", "secret data"));
    await visitor.visit((session) => session.signIn("ann"));
    await app.sessions.list("ann");
    await app.sessions.stats();
    await visitor.visit((session) => session.destroy());
    expect(calls.map(({ operation }) => operation)).toEqual([
      "create",
      "read",
      "change",
      "listByUser",
      "stats",
      "read",
      "end",
    ]);
    const times = { startedMs: expect.any(Number), durationMs: expect.any(Number) };
    for (const { operation, ...call } of calls) expect(call, operation).toEqual({ outcome: "done", ...times });
  });
});

test("S19: a call that fails says whether the store is to blame", async () => {
  const app = await memoryApp();
  const calls: StoreCall[] = [];
  const visitor = withHooks(app, { onStoreCall: (call) => calls.push(call) });
  await visitor.visit(write("here", 1));
  app.driver.read = () => {
    throw new StoreUnavailable("gone");
  };
  expect((await visitor.visit(() => {})).error).toMatchObject({ status: 503 });
  app.driver.read = () => Promise.reject(new Error("a fault"));
  expect((await visitor.visit(() => {})).error).toMatchObject({ message: "a fault" });
  expect(calls.map(({ operation, outcome }) => [operation, outcome])).toEqual([
    ["create", "done"],
    ["read", "unavailable"],
    ["read", "failed"],
  ]);
});

test("S19: each of several hooks gets every event, whatever the others do", async () => {
  const app = await memoryApp();
  const warnings: string[] = [];
  const note = ({ message }: Error) => warnings.push(message);
  process.on("warning", note);
  const [first, last, calls]: [string[], string[], string[]] = [[], [], []];
  const visitor = withHooks(app, {
    onEvent: [
      ({ type }) => first.push(type),
      () => {
        throw new Error("thrown");
      },
      async () => {
        throw new Error("rejected");
      },
      ({ type }) => last.push(type),
    ],
    onStoreCall: [
      () => {
        throw new Error("a call's hook");
      },
      ({ operation }) => calls.push(operation),
    ],
  });
  expect((await visitor.visit(write("here", 1))).error).toBeUndefined();
  expect((await visitor.visit((session) => session.exists)).result).toBe(true);
  expect([first, last, calls]).toEqual([["created"], ["created"], ["create", "read"]]);
  await waitFor(() => warnings.length === 4);
  process.off("warning", note);
  expect(warnings.sort()).toEqual(["a call's hook", "a call's hook", "rejected", "thrown"]);
});
