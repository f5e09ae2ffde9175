// A sign-in that was some time ago: sensitive actions ask for another one, in every framework.
// The sign-in is made old in the database, by hand, since no request can do that.
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "sqlite" }, "step-up"));
    await project.start();
  });
  afterAll(() => project.stop());

  async function send(method: string, path: string, cookie: string, body?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json", ...(cookie && { cookie }) };
    return fetch(`${project.url}${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  }

  async function signIn(cookie = ""): Promise<string> {
    const response = await send("POST", "/login", cookie, { userid: "ann", password: "demo" });
    return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  test("S22: ending other devices after 15 minutes is 403 with signIn, and possible again after signing in", async () => {
    const other = await signIn();
    const mine = await signIn();
    const database = new Database(join(project.folder, "data", "sessions.db"));
    database.prepare("UPDATE sessions SET authenticated = authenticated - 901").run();
    database.close();
    const devices = (await (await send("GET", "/sessions", mine)).json()) as { id: string; current: boolean }[];
    const theirs = devices.find(({ current }) => !current)?.id;
    for (const path of ["/sessions", `/sessions/${theirs}`]) {
      const refused = await send("DELETE", path, mine);
      expect(refused.status).toBe(403);
      expect(await refused.json()).toEqual({ error: expect.any(String), signIn: true });
    }
    expect((await send("GET", "/sessions", other)).status).toBe(200);
    const page = await (await send("GET", "/", mine)).text();
    expect(page).toContain('id="confirm"');
    const fresh = await signIn(mine);
    expect(await (await send("DELETE", "/sessions", fresh)).json()).toEqual({ ended: 1 });
    expect((await send("GET", "/sessions", other)).status).toBe(401);
  });
});
