// Recipes about requests of all kinds: uploads, other origins, apps, posts from elsewhere, remembered sessions.
import { createHmac } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { Client, type Reply } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };

test.each(readPage("uploads").frameworks)(
  "S12 S17: an upload in %s is kept, and only for who may",
  async (framework) => {
    const project = await followRecipe({ page: "uploads", framework });
    const { url } = await start(project);
    const browser = new Client(url);
    const upload = (headers: Record<string, string> = {}, field = "file") => {
      const body = new FormData();
      body.set(field, new Blob(["hello"]), "hello.txt");
      return browser.send("POST", "/uploads", body, headers);
    };
    const stored = () => readdirSync(join(project, "data/uploads"));
    expect((await upload()).status).toBe(401);
    await browser.post("/login", ada);
    expect((await upload({ origin: "https://evil.example" })).status).toBe(403);
    // Nothing of either has been read.
    expect(stored()).toEqual([]);
    const { status, json } = await upload();
    expect([status, json.uploads.length]).toEqual([201, 1]);
    expect((await upload()).json.uploads).toHaveLength(2);
    expect((await browser.get("/session")).json.data.uploads).toHaveLength(2);
    expect(stored()).toHaveLength(2);
    expect(stored()).toEqual(expect.arrayContaining(json.uploads));
    const large = new FormData();
    large.set("file", new Blob([Buffer.alloc(5_000_001)]), "large");
    expect((await browser.send("POST", "/uploads", large)).status).toBe(413);
    const none = new FormData();
    none.set("text", "hello");
    expect(await browser.send("POST", "/uploads", none)).toMatchObject({
      status: 422,
      json: { error: "There is no file." },
    });
    expect((await browser.get("/session")).json.data.uploads).toHaveLength(2);
    // What was refused doesn't fill the disk.
    await expect.poll(stored).toHaveLength(2);

    // The session doesn't grow with each upload.
    for (let count = 0; count < 9; count += 1) await upload();
    expect((await browser.get("/session")).json.data.uploads).toHaveLength(10);
    const two = new FormData();
    for (const name of ["one", "two"]) two.append("file", new Blob(["hello"]), name);
    const before = stored().length;
    await browser.send("POST", "/uploads", two);
    expect(stored().length - before).toBeLessThanOrEqual(1);
  },
);

test("S7: a remembered session has a longer idle timeout, within the lifetime", async () => {
  const { url } = await start(await followRecipe({ page: "remember-me", framework: "express" }));
  const browser = new Client(url);
  await browser.post("/login", ada);
  expect((await browser.get("/session")).json.idle).toBe(3600);
  const { headers, json } = await browser.form("/remember", { remember: "yes" });
  expect(json).toEqual({ idle: 2_592_000 });
  expect(headers.get("set-cookie")).toMatch(/Max-Age=25920\d\d/);
  // Another user signs in, who doesn't want to be remembered.
  await browser.post("/login", { ...ada, userid: "grace" });
  expect((await browser.form("/remember", {})).headers.get("set-cookie")).toMatch(/Max-Age=3600/);
  expect((await browser.get("/session")).json).toMatchObject({ userid: "grace", idle: 3600 });
});

test("S4 S7: with SESSION_COOKIE_PERSISTENT=false the cookie ends with the browser", async () => {
  const project = await followRecipe({ page: "remember-me", framework: "express" });
  const { url } = await start(project, { SESSION_COOKIE_PERSISTENT: "false" });
  const { headers } = await new Client(url).post("/login", ada);
  expect(headers.get("set-cookie")).toMatch(/^session=/);
  expect(headers.get("set-cookie")).not.toMatch(/Max-Age|Expires/i);
});

test.each(readPage("mobile-and-desktop").frameworks)(
  "S2 S17: an app signs in to %s by a Bearer token, from its own origin",
  async (framework) => {
    const { url } = await start(await followRecipe({ page: "mobile-and-desktop", framework }));
    const app = new Client(url);
    const shell = { origin: "capacitor://localhost", "sec-fetch-site": "cross-site" };
    for (const origin of ["tauri://localhost", "http://localhost"]) {
      expect((await new Client(url).post("/session", {}, { ...shell, origin })).status).toBe(201);
    }
    const begun = await app.post("/session", {}, shell);
    expect([begun.status, app.cookie]).toEqual([201, ""]);
    const signedIn = await app.post("/login", ada, { authorization: `Bearer ${begun.json.token}` });
    const { token } = signedIn.json;
    expect([signedIn.status, app.cookie]).toEqual([200, ""]);
    expect((await app.get("/session", { authorization: `Bearer ${token}` })).json.userid).toBe("ada");
    expect((await app.get("/session", { authorization: `Bearer ${begun.json.token}` })).status).toBe(404);
    expect((await app.post("/session", {}, { ...shell, origin: "evil://localhost" })).status).toBe(403);
    expect((await app.send("DELETE", "/session", undefined, { authorization: `Bearer ${token}` })).status).toBe(204);
    // Its session has ended: a write is 401 instead of a session that the app knows nothing of.
    const write = await app.send("PUT", "/session/data/x", '{"value":1}', {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    });
    expect(write.status).toBe(401);
  },
);

test.each(readPage("another-origin").frameworks)(
  "S17: a front end on another origin reads and writes in %s, errors of the sessions too, and others don't",
  async (framework) => {
    const project = await followRecipe({ page: "another-origin", framework, backend: "sqlite" });
    const { url } = await start(project, { SESSION_MAX_DATA_BYTES: "1000" });
    const browser = new Client(url);
    const vite = { origin: "http://localhost:5173", "sec-fetch-site": "same-site" };
    const preflight = (method: string, headers: Record<string, string>) =>
      browser.send("OPTIONS", "/session/data/theme", undefined, {
        ...headers,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type",
      });
    const allowed = {
      "access-control-allow-origin": vite.origin,
      "access-control-allow-credentials": "true",
    };
    const corsOf = ({ headers }: Reply) =>
      Object.fromEntries(Object.keys(allowed).map((name) => [name, headers.get(name)]));
    for (const method of ["PUT", "DELETE"]) {
      const asked = await preflight(method, vite);
      expect([asked.status, corsOf(asked), browser.cookie]).toEqual([204, allowed, ""]);
      expect(asked.headers.get("access-control-allow-methods")).toContain(method);
      expect(asked.headers.get("access-control-allow-headers")).toBe("content-type");
      expect(asked.headers.get("access-control-max-age")).toBe("600");
    }
    const signedIn = await browser.post("/login", ada, vite);
    expect([signedIn.status, corsOf(signedIn)]).toEqual([200, allowed]);
    const read = await browser.get("/session", vite);
    expect([read.status, corsOf(read)]).toEqual([200, allowed]);
    expect(read.headers.get("vary")?.toLowerCase()).toContain("origin");
    const wrong = await browser.send("PUT", "/session/data/theme", "{", {
      ...vite,
      "content-type": "application/json",
    });
    expect([wrong.status, corsOf(wrong)]).toEqual([400, allowed]);
    // What the sessions refuse when they save.
    const large = JSON.stringify({ value: "x".repeat(2_000) });
    const refusedToSave = await browser.send("PUT", "/session/data/theme", large, {
      ...vite,
      "content-type": "application/json",
    });
    expect([refusedToSave.status, corsOf(refusedToSave)]).toEqual([413, allowed]);

    const evil = { origin: "http://localhost:6666", "sec-fetch-site": "same-site" };
    const refused = await browser.post("/logout", {}, evil);
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    expect((await browser.get("/session", evil)).headers.get("access-control-allow-origin")).toBe(null);
    expect((await preflight("PUT", evil)).headers.get("access-control-allow-origin")).toBe(null);

    // What fails as the session is looked up, before any handler.
    const database = new DatabaseSync(join(project, "data/sessions.db"));
    onTestFinished(() => database.close());
    database.exec("ALTER TABLE sessions RENAME TO elsewhere");
    const failed = await browser.get("/session", vite);
    expect([failed.status, corsOf(failed)]).toEqual([503, allowed]);
  },
);

test("S11 S17: a payment's return is taken by its signature, once, for the session that started it", async () => {
  const { url } = await start(await followRecipe({ page: "posts-from-elsewhere", framework: "express" }));
  const [browser, service] = [new Client(url), new Client(url)];
  await browser.post("/payment/start", { order: "A1" });
  const signature = createHmac("sha256", "a-secret-of-the-payment-service").update("A1").digest("hex");
  // The browser sends no cookie with another site's form.
  const elsewhere = { origin: "https://pay.example", "sec-fetch-site": "cross-site" };
  expect((await service.form("/payment/return", { order: "A1", signature: "00" }, elsewhere)).status).toBe(400);
  const returned = await service.form("/payment/return", { order: "A1", signature }, { ...elsewhere, origin: "null" });
  expect(returned.status).toBe(303);
  const done = returned.headers.get("location") ?? "";
  // Whoever is to pay can't say so, and a signature is for its order alone.
  expect((await browser.get("/payment/done?order=A1&signature=00")).status).toBe(400);
  expect((await browser.get("/payment/done?order=A1")).status).toBe(400);
  const other = done.replace("order=A1", "order=A2");
  expect((await browser.get(other)).status).toBe(400);
  expect((await service.get(done)).status).toBe(409);
  expect((await browser.get(done)).json).toEqual({ paid: ["A1"] });
  expect((await browser.get(done)).json).toEqual({ paid: ["A1"] });
  // Only that path is open.
  expect((await browser.post("/payment/start", { order: "B2" }, elsewhere)).status).toBe(403);
});
