// Frameworks that render on the server and in the browser, with generated sessions, in a real browser.
// Change it when pages for more of them come, or when their pages of an account look otherwise.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type BuiltApp, buildApp, serve } from "./built.ts";
import { device, hasChromium } from "./chromium.ts";
import { Client, type Reply } from "./client.ts";
import { load } from "./project.ts";

const listening = /Listening on (http\S+)/;

const recipes = [
  { page: "nextjs", framework: "nextjs", startPage: "app/page.tsx" },
  { page: "react-router", framework: "react-router", startPage: "app/routes/start.tsx" },
];

const heading = (page: Page) => page.getByRole("heading", { level: 1 });
const visits = (page: Page, count: number) => page.getByRole("button", { name: `Visits: ${count}`, exact: true });

async function signIn(page: Page, password = "demo", name = "ada"): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

describe.skipIf(!hasChromium).each(recipes)("$page", ({ startPage, ...recipe }) => {
  let app: BuiltApp;
  beforeAll(async () => {
    app = await buildApp(recipe);
  });

  test("S4 S10 S12 S13 S14: a browser signs in, moves between pages, counts and signs out", async () => {
    const { url } = await serve(app, listening, {});
    const { page, context, complaints } = await device(url);
    await page.goto("/");
    // A guest's data is kept.
    await page.evaluate(() => fetch("/api/visit", { method: "POST" }));
    await page.getByRole("link", { name: "Account" }).click();
    await page.waitForURL(`${url}/login`);
    await signIn(page, "wrong");
    await page.getByText("The name or the password is wrong.").waitFor();
    await signIn(page);
    await page.waitForURL(`${url}/account`);
    expect(await heading(page).textContent()).toBe("ada");
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: "__Host-session", secure: true, httpOnly: true, sameSite: "Lax" });
    await page.evaluate(() => Object.assign(window, { loadedOnce: true }));

    await visits(page, 1).click();
    await visits(page, 2).waitFor();
    await page.getByRole("link", { name: "Start" }).click();
    await page.getByRole("heading", { name: "Start" }).waitFor();
    await page.getByRole("link", { name: "Account" }).click();
    await visits(page, 2).waitFor();
    expect(await page.evaluate(() => "loadedOnce" in window)).toBe(true);

    const keys = await page.evaluate(async () => {
      await Promise.all(["a", "b"].map((key) => fetch(`/api/both?key=${key}`, { method: "POST" })));
      return (await fetch("/api/session")).json();
    });
    expect(keys).toEqual({ userid: "ada", data: { visits: 2, a: true, b: true } });

    const tab = await context.newPage();
    await tab.goto("/account");
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.waitForURL(`${url}/login`);
    expect(await context.cookies()).toEqual([]);
    await visits(page, 2).click();
    await page.waitForURL(`${url}/login`);
    expect(await context.cookies()).toEqual([]);
    expect(complaints.filter((text) => /hydrat/i.test(text))).toEqual([]);
  });

  test("S12: the forms work without JavaScript", async () => {
    const { url } = await serve(app, listening, {});
    const { page } = await device(url, { javaScriptEnabled: false });
    await page.goto("/account");
    await signIn(page, "wrong");
    await page.getByText("The name or the password is wrong.").waitFor();
    await signIn(page);
    await visits(page, 0).click();
    await visits(page, 1).waitFor();
    // What one user has left behind is not for the next.
    await page.goto("/login");
    await signIn(page, "demo", "grace");
    await visits(page, 0).waitFor();
    await page.goto("/login");
    await signIn(page);
    await visits(page, 0).click();
    await visits(page, 1).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${url}/login`);
  });

  test("F1 S12: what an action can't save is no success", async () => {
    const { url } = await serve(app, listening, { SESSION_STORE_TIMEOUT: "200" });
    const { page } = await device(url);
    await page.goto("/login");
    await signIn(page);
    await visits(page, 0).waitFor();
    const { default: Database } = await load<{ default: typeof import("better-sqlite3") }>(
      app.folder,
      "better-sqlite3",
    );
    const writer = new Database(join(app.folder, "data/sessions.db"));
    writer.exec("BEGIN IMMEDIATE");
    const response = page.waitForResponse((one) => one.request().method() === "POST");
    await visits(page, 0).click();
    expect((await response).status()).toBe(recipe.page === "nextjs" ? 500 : 503);
    writer.close();
    await page.goto("/account");
    await visits(page, 0).waitFor();
  });

  test("S5 S23: a page for everybody stays cacheable until it carries a cookie; scripts cost the store nothing", async () => {
    const { url } = await serve(app, listening, { SESSION_TOUCH_EVERY: "0", SESSION_USER_AGENT_LOCK: "true" });
    const browser = new Client(url);
    const anonymous = await browser.get("/");
    expect(anonymous.headers.get("cache-control") ?? "").not.toMatch(/private|no-store/);
    await browser.post("/api/login?userid=ada");

    let renewed: Reply;
    do renewed = await browser.get("/");
    while (renewed.headers.getSetCookie().length === 0);
    expect(renewed.headers.get("cache-control")).toMatch(/private|no-store/);
    expect(renewed.headers.get("cache-control")).not.toMatch(/public|s-maxage/);
    expect((await browser.get("/account")).headers.get("cache-control")).toMatch(/private|no-store/);

    const [script = ""] = /\/(?:_next\/static|assets)\/[^"\\]+\.js/.exec(anonymous.text) ?? [];
    // Whoever looks for the session with another agent ends it.
    const file = await browser.get(script, { "user-agent": "another" });
    expect(file.status).toBe(200);
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await browser.get("/api/session")).json.userid).toBe("ada");
  });

  test.runIf(recipe.page === "nextjs")("S23: a page that streams before it reads the session is private", async () => {
    const { url } = await serve(app, listening, {});
    const browser = new Client(url);
    await browser.post("/api/login?userid=ada");
    const { text, headers } = await browser.get("/late");
    expect(text).toMatch(/Late: (<!-- -->)?ada/);
    expect(headers.get("cache-control")).toMatch(/private.*no-store/);
  });

  test("S4 S12: in development the page changes with its source, and the session stays", async () => {
    const { url, process } = await serve(app, listening, { NODE_ENV: "development" });
    const { page } = await device(url);
    await page.goto("/login");
    await signIn(page);
    await visits(page, 0).waitFor();
    const hears = new Promise((resolve) => page.on("websocket", (socket) => socket.once("framereceived", resolve)));
    await page.goto("/");
    await hears;
    await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
    const file = join(app.folder, startPage);
    const source = readFileSync(file, "utf8");
    writeFileSync(file, source.replace("<h1>Start</h1>", "<h1>Changed</h1>"));
    await page.getByRole("heading", { name: "Changed" }).waitFor();
    writeFileSync(file, source);
    expect(await page.evaluate(() => "loadedOnce" in window)).toBe(true);
    await page.getByRole("link", { name: "Account" }).click();
    await visits(page, 0).waitFor();

    // Ctrl-C, while the browser is still connected.
    const exit = once(process, "exit");
    process.kill("SIGINT");
    expect(await exit).toEqual([130, null]);
  });
});
