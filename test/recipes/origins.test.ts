// Recipes in which a real browser decides what is sent and read across origins: Vite's dev server, and a payment service.
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { device, hasChromium } from "./chromium.ts";
import { followRecipe, load, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };

interface Vite {
  createServer(options: object): Promise<{ listen(): Promise<unknown>; close(): Promise<void> }>;
}

/** Starts Vite's dev server on the recipe's `web`, with a page that does nothing but to offer the recipe's `api`. */
async function startVite(project: string, port: number, api: string, server: object = {}): Promise<void> {
  const root = join(project, "web");
  writeFileSync(
    join(root, "index.html"),
    '<!doctype html><title>A front end</title><script type="module" src="/main.ts"></script>',
  );
  writeFileSync(join(root, "main.ts"), 'import { api } from "./api.ts";\nObject.assign(window, { api });\n');
  const { createServer } = await load<Vite>(project, "vite");
  const vite = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    cacheDir: join(root, ".vite"),
    define: { "import.meta.env.VITE_API": JSON.stringify(api) },
    server: { host: "localhost", port, strictPort: true, ws: false, hmr: false, ...server },
  });
  onTestFinished(() => vite.close());
  await vite.listen();
}

/** Calls the page's `api`. Resolves to what it returned, or to its error's message. */
function call(page: Page, ...parameters: unknown[]): Promise<unknown> {
  return page.evaluate(async (values) => {
    const { api } = window as unknown as { api(...values: unknown[]): Promise<unknown> };
    return api(...values).catch((error: Error) => error.message);
  }, parameters);
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(() => "api" in window);
}

test.skipIf(!hasChromium)(
  "S4 S17: a page on Vite's dev server signs in at the API on another port, other origins can't",
  async () => {
    const project = await followRecipe({ page: "another-origin", framework: "express" });
    const [front, other] = [await freePort(), await freePort()];
    const app = await start(project, { SESSION_ALLOWED_ORIGINS: `http://localhost:${front}` });
    await startVite(project, front, app.url);
    const { page, context } = await device(`http://localhost:${front}`);
    await open(page, "/");
    expect(await call(page, "POST", "/login", ada)).toEqual({ userid: "ada" });
    expect(await call(page, "PUT", "/session/data/theme", { value: "dark" })).toEqual({ data: { theme: "dark" } });
    expect(await call(page, "GET", "/session")).toMatchObject({ userid: "ada", data: { theme: "dark" } });
    const [cookie] = await context.cookies(app.url);
    expect(cookie).toMatchObject({ name: "session", sameSite: "Lax", httpOnly: true });

    // The same page from an origin that isn't allowed: its browser sends the cookie, but neither reads nor changes anything.
    await startVite(project, other, app.url);
    const stranger = await context.newPage();
    await open(stranger, `http://localhost:${other}/`);
    expect(await call(stranger, "GET", "/session")).toBe("Failed to fetch");
    expect(await call(stranger, "DELETE", "/session")).toBe("Failed to fetch");
    expect(await call(stranger, "POST", "/logout")).toBe("Failed to fetch");
    expect(await call(page, "GET", "/session")).toMatchObject({ userid: "ada" });
  },
);

test.skipIf(!hasChromium)("S17: by Vite's own proxy it is one origin, and nothing is to be set", async () => {
  const project = await followRecipe({ page: "another-origin", framework: "express" });
  const front = await freePort();
  const app = await start(project, { SESSION_ALLOWED_ORIGINS: "" });
  await startVite(project, front, "", { proxy: { "^/(login|logout|session)": app.url } });
  const { page } = await device(`http://localhost:${front}`);
  await open(page, "/");
  expect(await call(page, "POST", "/login", ada)).toEqual({ userid: "ada" });
  expect(await call(page, "GET", "/session")).toMatchObject({ userid: "ada" });
  expect(await call(page, "POST", "/logout")).toBe(undefined);
  expect(await call(page, "GET", "/session")).toMatch(/session/i);
});

test.skipIf(!hasChromium).each(["strict-origin-when-cross-origin", "no-referrer"])(
  "S4 S17: a payment service's form (Referrer-Policy %s) brings no cookie, and its return finds the session",
  async (policy) => {
    const project = await followRecipe({ page: "posts-from-elsewhere", framework: "express" });
    const app = await start(project);
    const signature = createHmac("sha256", "a-secret-of-the-payment-service").update("A1").digest("hex");
    // Another site than localhost. By its policy browsers send `Origin: null`, or its origin.
    const service = createServer((request, response) => {
      response.setHeader("content-type", "text/html").setHeader("referrer-policy", policy);
      const path = new URL(request.url ?? "/", "http://x").pathname;
      response.end(`<form method="post" action="${app.url}${path}">
        <input type="hidden" name="order" value="A1"><input type="hidden" name="signature" value="${signature}">
        <button>Pay</button></form>`);
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void service.close());
    await once(service, "listening");
    const pay = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;

    const { page } = await device(app.url, { bypassCSP: true });
    await page.goto("/");
    await page.evaluate(() =>
      fetch("/payment/start", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"order":"A1"}',
      }),
    );
    await page.goto(`${pay}/payment/return`);
    const posted = page.waitForRequest((request) => request.method() === "POST");
    await page.getByRole("button", { name: "Pay" }).click();
    await page.waitForURL(/\/payment\/done/);
    const headers = await (await posted).allHeaders();
    expect(headers.cookie).toBeUndefined();
    expect(headers.origin).toBe(policy === "no-referrer" ? "null" : pay);
    expect(JSON.parse((await page.locator("pre").textContent()) ?? "")).toEqual({ paid: ["A1"] });

    // Only that path is open to others.
    await page.goto(`${pay}/logout`);
    await page.getByRole("button", { name: "Pay" }).click();
    await page.waitForURL(`${app.url}/logout`);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Not allowed");
  },
);
