// Behind a trusted proxy, in every framework: its headers count for the address, scheme and host, and for the lock.
// That nobody else's headers count is tested in suite/origin.ts, as it is the default.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";
import { expectError, expectStatus, type Target, visitor } from "./suite/visitors.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;
  const target: Target = { name: framework, url: () => project.url, persistent: false };

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "memory" }, "proxy"), {
      SESSION_TRUST_PROXY: "127.0.0.1,::1,10.0.0.0/8",
      SESSION_IP_ADDRESS_LOCK: "true",
    });
    await project.start();
  });
  afterAll(() => project.stop());

  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:51234", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["203.0.113.7, 10.1.2.3", "203.0.113.7"],
    ["192.0.2.66, 203.0.113.7", "203.0.113.7"],
    ["192.0.2.66, 203.0.113.7, 10.1.2.3, 127.0.0.1", "203.0.113.7"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["[2001:db8::1]:51234", "2001:db8::1"],
  ])("S16: X-Forwarded-For: %s is the address %s", async (forwarded, address) => {
    const client = visitor(target, { "x-forwarded-for": forwarded });
    expectStatus(await client.set("a", 1), 200);
    expect((await client.get("/session")).json.ipaddress).toBe(address);
  });

  test("S4: X-Forwarded-Proto: https makes the cookie Secure, with __Host- before its name; http doesn't", async () => {
    const https = visitor(target, { "x-forwarded-proto": "https" });
    const [secure = ""] = (await https.set("a", 1)).setCookies;
    expect(secure).toMatch(/^__Host-session=[\w-]{64};/);
    expect(secure).toMatch(/;\s*Secure(;|$)/i);
    expectStatus(await https.get("/session"), 200);
    expectStatus(await https.post("/logout"), 204);
    expect(https.cookies.size, "the same cookie is cleared").toBe(0);
    for (const proto of ["http", ""]) {
      const [plain = ""] = (await visitor(target, { "x-forwarded-proto": proto }).set("a", 1)).setCookies;
      expect(plain).toMatch(/^session=/);
      expect(plain).not.toMatch(/;\s*Secure/i);
    }
  });

  test("S17: the app's own origin is the one of X-Forwarded-Host", async () => {
    const client = visitor(target, { "x-forwarded-host": "shop.example", "x-forwarded-proto": "https" });
    expectStatus(await client.set("a", 1, { headers: { origin: "https://shop.example" } }), 200);
    expectError(await client.set("a", 2, { headers: { origin: project.url } }), 403);
    expectError(await client.set("a", 2, { headers: { origin: "https://evil.example" } }), 403);
  });

  test.each([
    ["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"],
    ["2001:db8::1", "2001:0db8:0:0::1", "2001:db8::2"],
  ])(
    "S16: for the lock %s is the same address as %s, and %s is another: the session ends for good",
    async (first, same, other) => {
      const client = visitor(target);
      expectStatus(await client.set("a", 1, { headers: { "x-forwarded-for": first } }), 200);
      expectStatus(await client.get("/session", { headers: { "x-forwarded-for": same } }), 200);
      expectStatus(await client.get("/session", { headers: { "x-forwarded-for": `${other}, ${first}` } }), 200);
      expectError(await client.get("/session", { headers: { "x-forwarded-for": other } }), 404);
      expectError(await client.get("/session", { headers: { "x-forwarded-for": first } }), 404);
    },
  );
});
