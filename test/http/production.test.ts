// What is different in production, in every framework: HSTS, Secure cookies whatever the connection, no demo sign-in, no details.
// Change it with `production` in the projects' src/config.ts.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { expectError, type Target, visitor } from "./suite/visitors.ts";

const HTML = { accept: "text/html" };

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: false };

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "memory" }, "production"), { NODE_ENV: "production" });
    await project.start();
  });
  afterAll(() => project.stop());

  test("P11: every response asks for HTTPS for a year (HSTS), errors and files too", async () => {
    const client = visitor(target);
    const responses = {
      page: await client.get("/"),
      json: await client.get("/cart"),
      head: await client.head("/"),
      error: await client.get("/session"),
      nothing: await client.get("/nothing"),
      malformed: await client.get("/%zz"),
      refused: await client.post("/cart", { headers: { "sec-fetch-site": "cross-site" } }),
      compressed: await client.post("/cart", {
        body: "x",
        headers: { "content-type": "application/json", "content-encoding": "gzip" },
      }),
      redirect: await client.post("/session/start", { form: {} }),
      file: await client.get("/style.css"),
      health: await client.get("/health"),
    };
    for (const [name, { headers }] of Object.entries(responses)) {
      const seconds = /(?:^|;)\s*max-age=(\d+)/.exec(headers["strict-transport-security"] ?? "")?.[1];
      expect(Number(seconds), name).toBeGreaterThanOrEqual(31_536_000);
    }
  });

  test("S4: the cookie is Secure over plain HTTP too, and for this host only", async () => {
    const { setCookies } = await visitor(target).set("a", 1);
    expect(setCookies).toEqual([expect.stringMatching(/^__Host-session=[\w-]{64};.*;\s*Secure(;|$)/i)]);
  });

  test("S4: a Secure cookie over plain HTTP, which browsers drop, is one warning that says what to set", async () => {
    for (let count = 0; count < 3; count++) await visitor(target).set("a", 1);
    const warnings = () => project.output.split("\n").filter((line) => line.includes("session.warning"));
    await expect.poll(warnings).toHaveLength(1);
    expect(warnings()[0]).toMatch(/SESSION_TRUST_PROXY/);
  });

  test("section 5: signing in is 501 until it is written, with the demo's password too, and starts nothing", async () => {
    const client = visitor(target);
    for (const password of ["demo", "wrong"]) {
      const response = await client.post("/login", { json: { userid: "ann", password } });
      expectError(response, 501);
      expect(response.setCookies).toEqual([]);
    }
    const page = await client.post("/login", { form: { userid: "ann", password: "demo" }, headers: HTML });
    expect(page.status).toBe(501);
    expect(page.headers["content-type"]).toMatch(/^text\/html/);
    expect(page.setCookies).toEqual([]);
    expect(page.text).not.toContain("src/");
    await expect.poll(() => project.output).toContain("write src/authenticate.ts");
    expectError(await client.get("/session"), 404);
  });

  test("section 5: the page says neither that this is a demo nor where sessions are kept", async () => {
    const { text } = await visitor(target).get("/", { headers: HTML });
    expect(text).toContain("Sign in");
    expect(text).not.toMatch(/demo|memory/i);
  });
});

describe.each(packs("frameworks"))("%s in development, listening beyond this machine", (framework) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url.replace("0.0.0.0", "127.0.0.1"), persistent: false };

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "memory" }, "production"), { HOST: "0.0.0.0" });
    await project.start();
  });
  afterAll(() => project.stop());

  test("P11, section 5: nobody signs in with the demo's password, so that a forgotten NODE_ENV lets nobody in", async () => {
    const client = visitor(target);
    const response = await client.post("/login", { json: { userid: "ann", password: "demo" } });
    expectError(response, 501);
    expect(response.setCookies).toEqual([]);
    expectError(await client.get("/sessions"), 401);
  });
});
