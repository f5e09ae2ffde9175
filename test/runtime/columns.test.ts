// The app's own columns in handlers: read and set like data, in the same write.
// That each store keeps them is tested in test/drivers/columns.test.ts.
import { beforeAll, expect, test } from "vitest";
import type { Session } from "../../runtime/src/session/session.ts";
import { initialColumns } from "../../templates/base/files/src/session-columns.ts";
import { memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

interface Columns {
  tenant: string | null;
  score: number;
}

// As a user would write it in session-columns.ts.
beforeAll(() => void Object.assign(initialColumns, { tenant: null, score: 0 } satisfies Columns));

function columnsOf(session: Session): Columns {
  return session.columns as Columns;
}

function set(columns: Partial<Columns>): (session: Session) => void {
  return (session) => void Object.assign(columnsOf(session), columns);
}

test("P10: a session starts with the columns' initial values, and setting one starts a session", async () => {
  const app = await memoryApp();
  const guest = new Visitor(app);
  expect((await guest.visit((session) => ({ ...columnsOf(session) }))).result).toEqual({ tenant: null, score: 0 });
  expect((await guest.visit(set({ score: 0 }))).setCookie).toEqual([]);
  expect((await guest.visit(set({ tenant: "acme" }))).setCookie).toHaveLength(1);
  expect((await guest.visit((session) => session.columns)).result).toEqual({ tenant: "acme", score: 0 });
});

test("P10 S10: what changed is written with the data in one statement, and only that", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(set({ tenant: "acme" }));
  const changes: unknown[] = [];
  const { change } = app.driver;
  app.driver.change = async (id, one) => {
    changes.push({ columns: one.columns, set: one.set && [...one.set] });
    return change.call(app.driver, id, one);
  };
  await visitor.visit((session) => {
    write("here", 1)(session);
    set({ tenant: "acme", score: 5 })(session);
  });
  await visitor.visit(set({ score: 5 }));
  expect(changes).toEqual([{ columns: { score: 5 }, set: [["here", "1"]] }]);
});

test("P10 S10: parallel requests that set different columns keep each other's", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  const other = new Visitor(app, visitor.token);
  await visitor.visit(async (session) => {
    set({ tenant: "acme" })(session);
    await other.visit(set({ score: 7 }));
  });
  expect((await visitor.visit((session) => session.columns)).result).toEqual({ tenant: "acme", score: 7 });
});

test("P10 S13: columns survive a sign-in, also one that another sign-in overtakes", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(set({ tenant: "acme" }));
  const other = new Visitor(app, visitor.token);
  await visitor.visit(async (session) => {
    set({ score: 9 })(session);
    await other.visit((one) => one.signIn("bob"));
    await session.signIn("ann");
  });
  const columns = (session: Session) => [session.userid, { ...columnsOf(session) }];
  expect((await visitor.visit(columns)).result).toEqual(["ann", { tenant: "acme", score: 9 }]);
  expect((await other.visit(columns)).result).toEqual(["bob", { tenant: "acme", score: 0 }]);
});

test("P10: an update sees to the data only; columns that were set before and after it are saved", async () => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  await visitor.visit(async (session) => {
    set({ tenant: "acme" })(session);
    await session.update((data) => void Object.assign(data, { visits: 1 }));
    set({ score: 3 })(session);
  });
  expect((await visitor.visit((session) => session.columns)).result).toEqual({ tenant: "acme", score: 3 });
});

test.each([
  [{ tenan: "acme" }, "session.columns.tenan is not listed in src/session-columns.ts"],
  [{ tenant: { name: "acme" } }, "session.columns.tenant must be text, a number or null"],
  [{ score: Number.NaN }, "session.columns.score must be text, a number or null"],
])("P10: %j is refused, and nothing of the request is saved", async (columns, message) => {
  const app = await memoryApp();
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  const { error } = await visitor.visit((session) => {
    write("here", 2)(session);
    Object.assign(session.columns, columns);
  });
  expect(String(error)).toContain(message);
  expect(await app.stored()).toEqual([{ here: 1 }]);
});
