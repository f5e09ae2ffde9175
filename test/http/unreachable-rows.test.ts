// Rows that nobody could ever reach: no request leaves one, in every framework. They are counted in the database itself.
// What the requests below get as a response is in suite/bearer.ts.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { expectError, expectStatus, type Target, visitor } from "./suite/visitors.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: true };

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "sqlite" }, "unreachable-rows"));
    await project.start();
  });
  afterAll(() => project.stop());

  function rows(): number {
    const database = new Database(join(project.folder, "data", "sessions.db"), { readonly: true });
    const { count } = database.prepare("SELECT count(*) AS count FROM sessions").get() as { count: number };
    database.close();
    return count;
  }

  test("S2: a write with a Bearer token whose session is gone is 401 and leaves no row", async () => {
    const before = rows();
    const client = visitor(target, { authorization: `Bearer ${randomBytes(48).toString("base64url")}` });
    expectError(await client.set("a", 1), 401);
    expectError(await client.post("/cart", { json: { sku: "tea", quantity: 1 } }), 401);
    expectError(await client.get("/session"), 404);
    expect(rows()).toBe(before);
  });

  test("S2: signing in with such a token leaves one row, and its token opens it", async () => {
    const before = rows();
    const stale = visitor(target, { authorization: `Bearer ${randomBytes(48).toString("base64url")}` });
    const signedIn = await stale.post("/login", { json: { userid: "ann", password: "demo" } });
    expectStatus(signedIn, 200);
    expect(rows()).toBe(before + 1);
    const client = visitor(target, { authorization: `Bearer ${signedIn.json.token}` });
    expect((await client.get("/session")).json).toMatchObject({ userid: "ann" });
  });
});
