// Frameworks that build an app of their own, with generated sessions: each is built and served, and asked the same.
// Change apps/api.ts with it, which is what the apps respond to.
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type BuiltApp, buildApp, serve } from "./built.ts";
import { Client } from "./client.ts";
import { load } from "./project.ts";

const recipes = [
  {
    page: "sveltekit",
    framework: "sveltekit",
    checks: [["npx", "svelte-check", "--fail-on-warnings"]],
    form: { signIn: "/login?/login", signOut: "/login?/logout" },
    listening: /Listening on (http\S+)/,
  },
  {
    page: "astro",
    framework: "astro",
    checks: [["npx", "astro", "check"]],
    form: { signIn: "/login", signOut: "/login" },
    listening: /Server listening on (http\S+)/,
  },
];

describe.each(recipes)("$page", ({ form, listening, ...recipe }) => {
  let app: BuiltApp;
  beforeAll(async () => {
    app = await buildApp(recipe);
  });
  const open = async (more: Record<string, string> = {}) => {
    const { url } = await serve(app, listening, { NODE_ENV: "development", ...more });
    return { url, browser: new Client(url) };
  };

  test("S5 S13 S14 S23: data is kept, signing in replaces the token, signing out ends the session", async () => {
    const { url, browser } = await open();
    const seen = await browser.get("/api/session");
    expect(seen.json).toEqual({ userid: null, data: {} });
    expect(seen.headers.get("cache-control")).toBe("private");
    expect(seen.headers.get("vary")).toMatch(/cookie/i);
    expect(browser.cookie).toBe("");
    // Nobody has asked for the session.
    expect((await browser.get("/api/public")).headers.get("cache-control")).toBeNull();

    const started = await browser.post("/api/visit");
    expect(started.json).toEqual({ visits: 1 });
    expect(started.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^session=[\w-]{64}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect(started.headers.get("cache-control")).toBe("no-store");
    expect((await browser.post("/api/visit")).json).toEqual({ visits: 2 });
    const guest = new Client(url);
    guest.cookies.set("session", browser.cookies.get("session") ?? "");

    const signedIn = await browser.post("/api/login?userid=ada");
    expect(signedIn.json).toEqual({ userid: "ada" });
    expect(signedIn.headers.getSetCookie()).toHaveLength(2);
    expect((await browser.get("/api/session")).json).toEqual({ userid: "ada", data: { visits: 2 } });
    expect((await guest.get("/api/session")).json).toEqual({ userid: null, data: {} });

    const user = new Client(url);
    user.cookies.set("session", browser.cookies.get("session") ?? "");
    expect((await browser.post("/api/logout")).status).toBe(204);
    expect(browser.cookies.has("session")).toBe(false);
    expect((await user.get("/api/session")).json).toEqual({ userid: null, data: {} });
  });

  test("S10 S12: parallel requests keep each other's keys, a stream and an error are saved first", async () => {
    const { browser } = await open();
    await browser.post("/api/visit");
    await Promise.all([browser.post("/api/both?key=a"), browser.post("/api/both?key=b")]);
    expect((await browser.get("/api/session")).json.data).toEqual({ visits: 1, a: true, b: true });

    expect((await browser.post("/api/stream")).text).toBe("one two");
    expect((await browser.get("/api/session")).json.data).toMatchObject({ before: true, during: true });

    expect((await browser.post("/api/fail")).status).toBe(500);
    expect((await browser.get("/api/session")).json.data).toMatchObject({ kept: true });
  });

  test("S2 S17 S18: what is refused has the status that it has everywhere", async () => {
    const { browser } = await open();
    await browser.post("/api/visit");
    for (const path of ["/api/large", "/api/large-update"]) {
      const large = await browser.post(path);
      expect(large.status, path).toBe(413);
      expect(large.text).not.toContain("saved");
    }
    const foreign = await browser.post("/api/visit", {}, { origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    expect((await browser.post("/api/visit", {}, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await browser.get("/api/session")).json.data).toEqual({ visits: 1 });

    const bearer = { authorization: `Bearer ${browser.cookies.get("session")}` };
    browser.cookies.clear();
    const visit = await browser.post("/api/visit", {}, bearer);
    expect(visit.json).toEqual({ visits: 2 });
    expect(visit.headers.getSetCookie()).toEqual([]);
    await browser.post("/api/logout", {}, bearer);
    expect((await browser.post("/api/keep", {}, bearer)).status).toBe(401);
  });

  test("F1: what the store can't save is 503, by itself or in a handler", async () => {
    const { browser } = await open({ SESSION_STORE_TIMEOUT: "200" });
    await browser.post("/api/visit");
    const { default: Database } = await load<{ default: typeof import("better-sqlite3") }>(
      app.folder,
      "better-sqlite3",
    );
    const writer = new Database(join(app.folder, "data/sessions.db"));
    writer.exec("BEGIN IMMEDIATE");
    for (const path of ["/api/keep", "/api/visit"]) {
      const refused = await browser.post(path);
      expect(refused.status, path).toBe(503);
      expect(refused.text).not.toMatch(/saved|visits|sessions\.db/);
    }
    writer.close();
    expect((await browser.post("/api/visit")).json).toEqual({ visits: 2 });
  });

  test("S4: the page's own sign-in works, and the cookie is Secure in production", async () => {
    const { url, browser } = await open({ NODE_ENV: "production", PROTOCOL_HEADER: "x-forwarded-proto" });
    const origin = { origin: url, "x-forwarded-proto": "http" };
    expect((await browser.form(form.signIn, { userid: "ada", password: "wrong" }, origin)).status).toBe(401);
    const signedIn = await browser.form(form.signIn, { userid: "ada", password: "demo" }, origin);
    expect(signedIn.headers.getSetCookie()[0]).toMatch(/^__Host-session=[\w-]{64};.*; Secure/);
    expect((await browser.get("/login")).text).toContain("ada");
    await browser.form(form.signOut, { signOut: "yes" }, origin);
    expect((await browser.get("/login")).text).not.toContain("ada");
  });
});
