// Frameworks that build an app of their own, with generated sessions: each is built and served, and asked the same.
// Change apps/api.ts with it, which is what the apps respond to.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type BuiltApp, buildApp, serve } from "./built.ts";
import { Client } from "./client.ts";
import { load } from "./project.ts";

const recipes = [
  {
    page: "sveltekit",
    framework: "sveltekit",
    // A page that is rendered beforehand.
    hasAbout: true,
    checks: [["npx", "svelte-check", "--fail-on-warnings"]],
    form: { signIn: "/login?/login", signOut: "/login?/logout", user: "/login", statuses: [303, 200] },
    listening: /Listening on (http\S+)/,
  },
  {
    page: "astro",
    framework: "astro",
    // A page that is rendered beforehand.
    hasAbout: true,
    checks: [["npx", "astro", "check"]],
    form: { signIn: "/login", signOut: "/login", user: "/login", statuses: [303, 303] },
    // As the page says.
    endsAtOnce: true,
    listening: /Server listening on (http\S+)/,
  },
  {
    page: "nestjs",
    framework: "nestjs",
    // `nest build` checks the types.
    checks: [],
    form: { signIn: "/login", signOut: "/logout", user: "/account", statuses: [200, 204] },
    listening: /Listening on (http\S+)/,
  },
  {
    page: "react-router",
    framework: "react-router",
    checks: [
      ["npx", "react-router", "typegen"],
      ["npx", "tsc"],
    ],
    form: { signIn: "/login", signOut: "/account", user: "/account", statuses: [302, 302] },
    listening: /Listening on (http\S+)/,
  },
  {
    page: "nextjs",
    framework: "nextjs",
    // `next build` checks the types.
    checks: [],
    // Its forms name their action by a hidden field: rendered.test.ts sends them.
    form: undefined,
    listening: /Listening on (http\S+)/,
  },
];

describe.each(recipes)("$page", ({ form, listening, endsAtOnce = false, hasAbout = false, ...recipe }) => {
  const isNest = recipe.page === "nestjs";
  let app: BuiltApp;
  beforeAll(async () => {
    app = await buildApp(recipe);
  });
  const open = async (more: Record<string, string> = {}) => {
    const { url, output } = await serve(app, listening, { NODE_ENV: "development", ...more });
    return { url, output, browser: new Client(url) };
  };
  const openStore = async () => {
    const name = "better-sqlite3";
    const { default: Database } = await load<{ default: typeof import("better-sqlite3") }>(app.folder, name);
    return new Database(join(app.folder, "data/sessions.db"));
  };
  /** Nobody else can write until it is closed. */
  const lockStore = async () => {
    const store = await openStore();
    store.exec("BEGIN IMMEDIATE");
    return store;
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
    if (hasAbout) expect((await browser.get("/about")).text).toContain("<h1>About</h1>");

    const started = await browser.post("/api/visit");
    expect(started.json).toEqual({ visits: 1 });
    expect(started.headers.getSetCookie()).toEqual([
      // A second may begin meanwhile.
      expect.stringMatching(/^session=[\w-]{64}; Max-Age=(86400|863\d\d); Path=\/; HttpOnly; SameSite=Lax$/),
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
    const { browser, output } = await open();
    await browser.post("/api/visit");
    await Promise.all([browser.post("/api/both?key=a"), browser.post("/api/both?key=b")]);
    expect((await browser.get("/api/session")).json.data).toEqual({ visits: 1, a: true, b: true });

    expect((await browser.post("/api/stream")).text).toBe("one two");
    expect((await browser.get("/api/session")).json.data).toMatchObject({ before: true, during: true });

    expect((await browser.post("/api/fail")).status).toBe(500);
    await expect.poll(output, { timeout: 10_000 }).toContain("thrown by a handler");
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
    const tooLong = await browser.post(`/api/login?userid=${"x".repeat(1000)}`);
    expect([tooLong.status, tooLong.headers.getSetCookie()]).toEqual([422, []]);
    expect((await browser.get("/nothing")).status).toBe(404);
    if (recipe.page === "sveltekit") {
      expect(await browser.get("/taken")).toMatchObject({ status: 409, text: expect.stringContaining("is taken.") });
    }

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
    const writer = await lockStore();
    // The visit comes first, as the driver may try the last write once more after its 503.
    for (const path of ["/api/visit", "/api/keep"]) {
      const refused = await browser.post(path);
      expect(refused.status, path).toBe(503);
      expect(refused.text).not.toMatch(/saved|visits|sessions\.db/);
    }
    writer.close();
    expect((await browser.post("/api/visit")).json).toEqual({ visits: 2 });
  });

  test.skipIf(form === undefined)(
    "S4 S13: the page's own sign-in works, keeps what is the user's own, and the cookie is Secure in production",
    async () => {
      const { signIn, signOut, user, statuses } = form ?? { signIn: "", signOut: "", user: "", statuses: [] };
      const { url, browser } = await open({ NODE_ENV: "production", PROTOCOL_HEADER: "x-forwarded-proto" });
      const origin = { origin: url, "x-forwarded-proto": "http" };
      const visit = async () => (await browser.post("/api/visit", {}, origin)).json.visits;
      expect(await visit()).toBe(1);
      const asPage = { ...origin, accept: "text/html" };
      const wrong = await browser.form(signIn, { userid: "ada", password: "wrong" }, asPage);
      const message = `${isNest ? '"message":"' : 'role="alert">'}The name or the password is wrong.`;
      expect(wrong).toMatchObject({ status: 401, text: expect.stringContaining(message) });
      const signedIn = await browser.form(signIn, { userid: "ada", password: "demo" }, asPage);
      expect(signedIn.status).toBe(statuses[0]);
      expect(signedIn.headers.getSetCookie()[0]).toMatch(/^__Host-session=[\w-]{64};.*; Secure/);
      expect((await browser.get(user)).text).toContain("ada");
      // What a guest has, or the same user, is kept. What one user has left behind is not for the next.
      expect(await visit()).toBe(2);
      await browser.form(signIn, { userid: "ada", password: "demo" }, origin);
      expect(await visit()).toBe(3);
      await browser.form(signIn, { userid: "grace", password: "demo" }, origin);
      expect(await visit()).toBe(1);
      expect((await browser.form(signOut, { signOut: "yes" }, asPage)).status).toBe(statuses[1]);
      expect((await browser.get(user)).text).not.toMatch(/ada|grace/);
    },
  );

  test("F10: what has expired is deleted, and the store is closed at the end", async () => {
    const { url, printed, output, stop } = await serve(app, listening, { SESSION_PURGE_EVERY: "1" });
    await new Client(url).post("/api/visit");
    const database = await openStore();
    // Whole batches, after which the thread makes a checkpoint.
    database.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
      INSERT INTO sessions (id, secret_hash, created, updated, authenticated, idle, expires, ipaddress, useragent, data, version)
      SELECT 'expired-' || i, zeroblob(32), 0, 0, 0, 1, 1, '', '', '{}', 1 FROM n`);
    database.close();
    await printed(/session\.purged/);
    expect(output()).not.toContain("checkpoints can't be made");

    const log = join(app.folder, "data/sessions.db-wal");
    expect(existsSync(log)).toBe(true);
    await stop();
    // The last connection to be closed removes it.
    expect(existsSync(log)).toBe(endsAtOnce);
  });

  test.runIf(recipe.page === "astro")(
    "F1: a store that isn't ready at the first request is so at a later one",
    async () => {
      const variables = { SQLITE_FILE: "data/late.db", SESSION_START_TIMEOUT: "1" };
      const { browser } = await open(variables);
      expect((await browser.post("/api/visit")).status).toBe(500);
      const env = { ...process.env, SQLITE_FILE: variables.SQLITE_FILE };
      execFileSync(process.execPath, ["sessions/src/cli/sessions.ts", "setup"], { cwd: app.folder, env });
      expect((await browser.post("/api/visit")).json).toEqual({ visits: 1 });
    },
  );

  test.runIf(isNest)(
    "S2 F1: Nest's guard knows who is signed in, and its responses to errors stay its own",
    async () => {
      const { browser } = await open({ SESSION_STORE_TIMEOUT: "200" });
      expect(await browser.get("/account")).toMatchObject({ status: 401, json: { statusCode: 401 } });
      expect((await browser.form("/login", { userid: "ada", password: "demo" })).status).toBe(200);
      expect((await browser.get("/account")).json).toEqual({ userid: "ada" });
      expect((await browser.get("/api/devices")).json).toEqual({ count: 1 });
      expect(await browser.send("POST", "/login")).toMatchObject({ status: 401, json: { statusCode: 401 } });
      expect((await browser.post("/api/fail")).json).toMatchObject({ statusCode: 500 });
      const foreign = await browser.post("/logout", {}, { origin: "https://evil.example" });
      expect(foreign).toMatchObject({ status: 403, json: { error: expect.any(String) } });

      const writer = await lockStore();
      const refused = await browser.post("/logout");
      expect(refused).toMatchObject({ status: 503, json: { error: expect.any(String) } });
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      writer.close();
      await expect.poll(async () => (await browser.post("/logout")).status).toBe(204);
      expect((await browser.get("/account")).status).toBe(401);

      // The app's own script starts what the page's command starts.
      const { scripts } = JSON.parse(readFileSync(join(app.folder, "package.json"), "utf8"));
      expect(`${scripts["start:prod"]}.js`).toBe(app.command.slice(1).join(" "));
    },
  );
});
