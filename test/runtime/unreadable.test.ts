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
