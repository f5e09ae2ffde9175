// Rows that were edited by hand, on every backend: no session and an event, never an error.
// Add a case for a new column.
import { describe, expect, test } from "vitest";
import { parseToken } from "../../runtime/src/session/token.ts";
import { backends, started, stored } from "./backends.ts";
import { open, Visitor, write } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("F5: a row that can't be read is no session and an event, and the visitor can start anew", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
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
    ["id", "somebody else's"],
    ["userid", 7],
    ["secretHash", new Uint8Array(31)],
    ["secretHash", "text"],
    ["authenticated", "never"],
    ["ipaddress", null],
    ["useragent", 5],
    ["columns", null],
    ["data", null],
  ] as const)("F5: a row whose %s has become %j is no session and an event", async ([column, value], { skip }) => {
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

  test("F5 S15: lists leave out what can't be read, with an event, and show the rest", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    await visitor.visit((session) => session.signIn("ann"));
    await new Visitor(app).visit((session) => session.signIn("ann"));
    const bad = parseToken(visitor.token ?? "")?.id ?? "";
    const spoil = <T extends { id: string }>(info: T) => (info.id === bad ? { ...info, created: -1 } : info);
    const { listByUser, all, read } = app.driver;
    app.driver.listByUser = async (...args) => (await listByUser.apply(app.driver, args)).map(spoil);
    app.driver.all = async function* (now) {
      for await (const infos of all.call(app.driver, now)) yield infos.map(spoil);
    };
    app.driver.read = async (...args) => {
      const row = await read.apply(app.driver, args);
      return row && spoil(row);
    };
    const listed = await app.sessions.list("ann");
    expect(listed).toHaveLength(1);
    const everybody: string[] = [];
    for await (const infos of app.sessions.all()) everybody.push(...infos.map(({ id }) => id));
    expect(everybody).toEqual(listed.map(({ id }) => id));
    expect(await app.sessions.show(bad)).toBeUndefined();
    expect(await app.sessions.show(listed[0]?.id ?? "")).toMatchObject({ userid: "ann", data: {} });
    const reported = app.events.filter((event) => event.type === "unreadable");
    expect(reported.map(({ id }) => id)).toEqual([bad, bad, bad]);
  });

  test("F5: a row that becomes unreadable while a request runs ends the request's view of it, and is no error", async ({
    skip,
  }) => {
    const { app, visitor } = await started(backend, skip);
    if (app.corrupt === undefined) return skip();
    const { corrupt } = app;
    const answer = await visitor.visit(async (session) => {
      await corrupt(session.id ?? "");
      await session.reload();
      return session.ended;
    });
    expect(answer).toMatchObject({ result: true, error: undefined });
  });
});
