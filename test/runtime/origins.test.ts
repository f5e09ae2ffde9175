// Which requests of other sites are refused.
// Add a combination of headers that a browser sends.
import { describe, expect, test } from "vitest";
import { memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

describe("origins", () => {
  const cases: [string, Record<string, string>, boolean][] = [
    ["POST", {}, true],
    ["POST", { "sec-fetch-site": "same-origin" }, true],
    ["POST", { "sec-fetch-site": "none" }, true],
    ["POST", { "sec-fetch-site": "cross-site" }, false],
    ["POST", { "sec-fetch-site": "same-site" }, false],
    ["POST", { "sec-fetch-site": "cross-site", origin: "https://app.example" }, false],
    ["POST", { "sec-fetch-site": "cross-site", origin: "https://friend.example" }, true],
    ["POST", { origin: "https://app.example" }, true],
    ["POST", { origin: "http://APP.example" }, true],
    ["POST", { origin: "https://app.example", host: "app.example:443" }, true],
    ["POST", { origin: "https://app.example", host: "app.example:80" }, false],
    ["POST", { origin: "https://evil.example" }, false],
    ["POST", { origin: "https://app.example.evil.example" }, false],
    ["POST", { origin: "https://app.example:8443" }, false],
    ["POST", { origin: "null" }, false],
    ["POST", { origin: "garbage" }, false],
    ["POST", { origin: "https://friend.example" }, true],
    ["POST", { origin: "capacitor://localhost" }, true],
    ["POST", { origin: "capacitor://localhost", "sec-fetch-site": "cross-site" }, true],
    ["POST", { origin: "tauri://localhost" }, false],
    ["POST", { origin: "capacitor://localhost.evil" }, false],
    ["GET", { "sec-fetch-site": "cross-site" }, true],
    ["HEAD", { origin: "https://evil.example" }, true],
    ["OPTIONS", { origin: "https://evil.example" }, true],
    ["GET", { upgrade: "websocket", origin: "https://evil.example" }, false],
    ["GET", { upgrade: "websocket", origin: "https://app.example" }, true],
    ...["PUT", "PATCH", "DELETE", "post", "CUSTOM"].map((method): [string, Record<string, string>, boolean] => [
      method,
      { "sec-fetch-site": "cross-site" },
      false,
    ]),
  ];
  test.each(cases)("S17: %s %j passes: %s, with and without a session", async (method, headers, passes) => {
    const target = await memoryApp({ allowedOrigins: ["https://friend.example", "capacitor://localhost"] });
    const visitor = new Visitor(target);
    for (let round = 0; round < 2; round++) {
      const { error } = await visitor.visit(() => {}, { method, headers });
      if (passes) expect(error).toBeUndefined();
      else expect(error).toMatchObject({ name: "CrossOrigin", status: 403 });
      await visitor.visit(write("here", 1));
    }
    const client = new Visitor(target);
    client.bearer = (await target.sessions.start(client.request())).token;
    expect((await client.visit(() => {}, { method, headers })).error).toBeUndefined();
  });

  test("S17: behind a trusted proxy the host is the one that the client asked for", async () => {
    const visitor = new Visitor(await memoryApp({ trustProxy: 1 }));
    const headers = { host: "inner:3000", "x-forwarded-host": "app.example", origin: "https://app.example" };
    expect((await visitor.visit(() => {}, { method: "POST", headers })).error).toBeUndefined();
  });

  const paths: [string, boolean][] = [
    ["/saml", true],
    ["/saml/acs", true],
    ["/saml?RelayState=1", true],
    ["/samlet", false],
    ["/SAML", false],
    ["/", false],
    ["/other/saml", false],
  ];
  test.each(paths)("S17: with allowedPaths /saml, a foreign POST to %s passes: %s", async (url, passes) => {
    const visitor = new Visitor(await memoryApp({ allowedPaths: ["/saml"] }));
    const foreign: Record<string, string>[] = [
      { origin: "null" },
      { origin: "https://idp.example" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign) {
      const { error } = await visitor.visit(() => {}, { method: "POST", url, headers });
      if (passes) expect(error).toBeUndefined();
      else expect(error).toMatchObject({ status: 403, statusCode: 403 });
    }
  });

  test.each([
    [{ origin: "https://evil.example" }, /from "https:\/\/evil\.example", not from "app\.example"/],
    [{ origin: "null" }, /from "null", not from "app\.example"/],
    [{ "sec-fetch-site": "same-site" }, /from another site, not from "app\.example"/],
  ])(
    "S17: the event for %j names both sides and the settings, the error that clients see does not",
    async (headers, message) => {
      const target = await memoryApp();
      const visitor = new Visitor(target);
      const { error } = await visitor.visit(() => {}, { method: "POST", headers: headers as Record<string, string> });
      expect((error as Error).message).toBe("This request comes from another site. It was refused.");
      const event = target.events.find(({ type }) => type === "crossOrigin") as { message: string } | undefined;
      expect(event?.message).toMatch(message);
      expect(event?.message).toMatch(/SESSION_ALLOWED_ORIGINS.*SESSION_ALLOWED_PATHS/);
    },
  );

  test("S17 S2: a request with somebody else's Bearer token can't be forged, but for a cookie of ours beside it", async () => {
    const target = await memoryApp();
    const headers = { authorization: "Bearer a.jwt.token", origin: "https://spa.example" };
    expect((await new Visitor(target).visit(() => {}, { method: "POST", headers })).error).toBeUndefined();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    expect((await visitor.visit(() => {}, { method: "POST", headers })).error).toMatchObject({ status: 403 });
  });
});
