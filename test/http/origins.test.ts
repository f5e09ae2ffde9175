// Requests from other origins that the settings let in, in every framework: other front ends, apps, and routes that others post to.
// What is refused without settings is in suite/origin.ts, as it is the default.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { expectError, expectStatus, guest, type Target, token, visitor } from "./suite/visitors.ts";

const ALLOWED = ["https://shop.example", "https://shop.example:8443", "capacitor://localhost", "tauri://localhost"];
const ITEM = { sku: "tea", quantity: 1 };

function byOldAndNewBrowser(origin: string): Record<string, string>[] {
  return [{ origin }, { origin, "sec-fetch-site": "cross-site" }];
}

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: false };

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "memory" }, "origins"), {
      SESSION_ALLOWED_ORIGINS: ALLOWED.join(","),
      SESSION_ALLOWED_PATHS: "/cart",
    });
    await project.start();
  });
  afterAll(() => project.stop());

  test.each(ALLOWED)("S17: allowedOrigins lets %s write, sign in and sign out", async (origin) => {
    for (const headers of byOldAndNewBrowser(origin)) {
      const client = visitor(target);
      expectStatus(await client.set("a", 1, { headers }), 200);
      expectStatus(await client.post("/login", { json: { userid: "ann", password: "demo" }, headers }), 200);
      expectStatus(await client.post("/logout", { headers }), 204);
    }
  });

  test.each([
    "http://shop.example",
    "https://shop.example:444",
    "https://shop.example.evil.example",
    "https://evil.shop.example",
    "capacitor://evil",
    "capacitor://localhost.evil",
    "ionic://localhost",
    "tauri://",
    "null",
  ])("S17: allowedOrigins doesn't let %s in", async (origin) => {
    const client = await guest(target);
    for (const headers of byOldAndNewBrowser(origin)) {
      expectError(await client.set("forged", 1, { headers }), 403);
    }
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("S17: allowedPaths lets any site post to that path, Origin: null too, and to no other path", async () => {
    for (const origin of ["null", "https://idp.example"]) {
      const headers = { origin, "sec-fetch-site": "cross-site" };
      const client = await guest(target);
      expectStatus(await client.post("/cart", { json: ITEM, headers }), 200);
      expectStatus(await client.post("/cart?return=1", { json: ITEM, headers }), 200);
      expectStatus(await client.post("/cart", { form: { sku: "tea", quantity: "1" }, headers }), 303);
      for (const path of [
        "/logout",
        "/login",
        "/cartoon",
        "//cart",
        "/session/start",
        "/logout?/cart",
        "/logout#/cart",
      ]) {
        expectError(await client.post(path, { json: ITEM, headers }), 403);
      }
      expectError(await client.set("forged", 1, { headers }), 403);
      expect((await client.get("/session")).json.data).toEqual({ guest: true, cart: { tea: 3 } });
    }
  });

  test("S17: the log names both sides and the setting that opens, the response nothing of the server", async () => {
    const client = await guest(target);
    const { host } = new URL(project.url);
    const before = project.output.length;
    const origin = "https://partner.example";
    const { json } = await client.set("a", 1, { headers: { origin } });
    expect(json).toEqual({ error: "This request comes from another site. It was refused." });
    await expect.poll(() => project.output.slice(before)).toContain(origin);
    const line =
      project.output
        .slice(before)
        .split("\n")
        .find((line) => line.includes(origin)) ?? "";
    expect(line).toContain(host);
    expect(line).toMatch(/allowedOrigins|SESSION_ALLOWED_ORIGINS/);
    expect(line).not.toContain(token(client)?.slice(22));
  });

  test("S17: where something posts with Origin: null, as SAML and form_post do, the log names allowedPaths", async () => {
    const before = project.output.length;
    const response = await visitor(target).post("/login", { form: {}, headers: { origin: "null" } });
    expectError(response, 403);
    expect(response.text).not.toMatch(/SESSION_/);
    await expect.poll(() => project.output.slice(before)).toMatch(/SESSION_ALLOWED_PATHS/);
  });

  test("S17, P11: what a refusal repeats of the request is escaped on the page, and one line in the log", async () => {
    const before = project.output.length;
    const origin = 'https://"><script>alert(1)</script>';
    const { status, text } = await visitor(target).post("/login", {
      form: {},
      headers: { origin, accept: "text/html" },
    });
    expect(status).toBe(403);
    expect(text).not.toContain("<script>alert");
    await expect.poll(() => project.output.slice(before)).toContain("alert(1)");
    for (const line of project.output.slice(before).trim().split("\n")) JSON.parse(line);
  });
});
