// Protected routes in every framework, with the example and without it: 401 for programs, the sign-in page for browsers, and back from there.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const ada = { userid: "ada", password: "correct horse battery" };
const grace = { userid: "grace", password: "correct horse battery" };
const { frameworks } = readPage("protected-routes");

test.each(frameworks)(
  "S22 P11 C13: without the example, only users pass in %s, and come back from the sign-in page",
  async (framework) => {
    const project = await followRecipe({ page: "protected-routes", framework, backend: "sqlite", minimal: true });
    const { url } = await start(project);
    await new Client(url).post("/register", grace);
    const browser = new Client(url);

    // A program gets 401, a page that is opened the sign-in page; neither starts a session.
    for (const [method, path] of [
      ["GET", "/members/me"],
      ["DELETE", "/members/me"],
      ["GET", "/members/all"],
    ] as const) {
      expect((await browser.send(method, path)).status, `${method} ${path}`).toBe(401);
    }
    expect((await browser.send("DELETE", "/members/me", undefined, HTML)).status).toBe(401);
    const sent = await browser.get("/members/me?a=1&b=//x", HTML);
    const signIn = "/sign-in?return=%2Fmembers%2Fme%3Fa%3D1%26b%3D%2F%2Fx";
    expect([sent.status, sent.headers.get("location"), browser.cookie]).toEqual([303, signIn, ""]);
    // No other spelling of the address gets past the guard.
    for (const other of ["/Members/me", "/members//me", "/members/me/", "/members/%6De", "/x/../members/all"]) {
      expect([401, 404], other).toContain((await browser.get(other)).status);
    }
    // Nobody else's routes are guarded, and nothing else below the prefix is there.
    expect((await browser.get("/visits")).status).toBe(200);
    // Where a router or plugin is guarded whole, a guest doesn't even learn that something isn't there.
    const isWhole = ["express", "fastify", "hono"].includes(framework);
    expect((await browser.get("/members/nothing")).status).toBe(isWhole ? 401 : 404);
    expect((await browser.get("/membership")).status).toBe(404);

    const form = await browser.get(signIn, HTML);
    expect([form.status, form.headers.get("content-type")]).toEqual([
      200,
      expect.stringMatching(/^text\/html; charset=utf-8$/i),
    ]);
    const [, path = ""] = /name="return" value="([^"]*)"/.exec(form.text) ?? [];
    expect(path).toBe("/members/me?a=1&#38;b=//x");
    const back = await browser.form("/sign-in", { ...grace, return: path.replace("&#38;", "&") });
    expect([back.status, back.headers.get("location")]).toEqual([303, "/members/me?a=1&b=//x"]);
    expect((await browser.get("/members/me", HTML)).json).toEqual({ userid: "grace" });
    // One spelling of each address, for users too, so that a rule of a proxy can't be passed by another.
    for (const other of ["/members/ME", "/members/me/", "/MEMBERS/me"]) {
      expect((await browser.get(other)).status, other).toBe(404);
    }
    for (const other of ["/SIGN-IN", "/sign-in/"]) {
      expect((await new Client(url).post(other, grace)).status, other).toBe(404);
    }
    expect((await browser.get(`/sign-in?return=${encodeURIComponent('"><script>')}`, HTML)).text).not.toContain(
      "<script>",
    );

    // Roles.
    expect((await browser.get("/members/all")).status).toBe(403);
    const admin = new Client(url);
    await admin.post("/register", ada);
    expect((await admin.get("/members/all")).json).toEqual({ members: ["ada", "grace"] });

    // Step-up: after 16 minutes the session goes on, and what is sensitive asks for the password again.
    const database = new DatabaseSync(join(project, "data/sessions.db"));
    database.exec("UPDATE sessions SET authenticated = authenticated - 960 WHERE userid = 'grace'");
    database.close();
    expect((await browser.get("/members/me")).status).toBe(200);
    const stale = await browser.send("DELETE", "/members/me");
    expect([stale.status, stale.json]).toEqual([403, { error: "Please sign in again first.", signIn: true }]);
    await browser.form("/sign-in", grace);
    expect((await browser.send("DELETE", "/members/me")).status).toBe(204);
    expect((await browser.get("/members/me")).status).toBe(401);
  },
);

test.each(frameworks)("P12: it goes together with the example in %s", async (framework) => {
  const { url } = await start(await followRecipe({ page: "protected-routes", framework, backend: "sqlite" }));
  const browser = new Client(url);
  expect((await browser.get("/members/me")).status).toBe(401);
  await browser.post("/register", grace);
  await browser.post("/logout");
  await browser.post("/login", grace);
  expect((await browser.get("/members/me")).json).toEqual({ userid: "grace" });
});
