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
    const target = await memoryApp({ allowedOrigins: ["https://friend.example"] });
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
});
