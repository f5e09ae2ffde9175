// Requests that another site makes a browser send: refused by Sec-Fetch-Site, or without it by Origin.
// Change it with the rule (S17), not with its settings.

import { expect, test } from "vitest";
import type { Client } from "../client.ts";
import {
  expectError,
  expectStatus,
  guest,
  PASSWORD,
  program,
  sessionOf,
  signedIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

const FOREIGN: Record<string, string>[] = [
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", origin: "https://evil.example" },
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "" },
  { origin: "nonsense" },
];

const UNSAFE: [method: string, path: string, json?: unknown][] = [
  ["PUT", "/session/data/forged", { value: 1 }],
  ["DELETE", "/session/data/guest"],
  ["POST", "/session"],
  ["POST", "/session/start"],
  ["POST", "/session/data", { key: "forged", value: "1" }],
  ["POST", "/session/data/delete", { key: "guest" }],
  ["POST", "/login", { userid: "forged", password: PASSWORD }],
  ["POST", "/cart", { sku: "forged", quantity: 1 }],
  ["POST", "/logout"],
  ["DELETE", "/session"],
  ["DELETE", "/sessions"],
  ["POST", "/sessions/end-others"],
  // Also where nothing is: who may not ask doesn't learn what there is.
  ["POST", "/nothing"],
  ["POST", "/style.css"],
  ["DELETE", "/cart"],
  ["PUT", "/"],
];

export function originTests(target: Target): void {
  /** This project's own origin, and ones that only look like it. */
  const own = () => new URL(target.url()).origin;
  const lookalikes = () => {
    const { hostname, port } = new URL(target.url());
    return [
      `http://${hostname}:${Number(port) + 1}`,
      `http://${hostname}.evil.example:${port}`,
      `http://evil.example/${hostname}:${port}`,
      `http://${hostname}:${port}@evil.example`,
      `http://${hostname}`,
    ];
  };

  test("S17: unsafe requests from elsewhere are 403 {error} and change nothing", async () => {
    const client = await guest(target);
    const before = token(client);
    for (const headers of [...FOREIGN, ...lookalikes().map((origin) => ({ origin }))]) {
      for (const [method, path, json] of UNSAFE) {
        const response = await client.send(method, path, { json, headers });
        expect(response.status, `${method} ${path} with ${JSON.stringify(headers)}`).toBe(403);
        expectError(response, 403);
        expect(response.setCookies).toEqual([]);
      }
    }
    expect(token(client)).toBe(before);
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
    expect((await client.get("/cart")).json).toEqual({ cart: {} });
  });

  test("S17: sign-in forgery is refused without any session too, by form as well", async () => {
    const client = visitor(target);
    for (const headers of FOREIGN) {
      for (const body of [
        { form: { userid: "attacker", password: PASSWORD } },
        { json: { userid: "attacker", password: PASSWORD } },
      ]) {
        const response = await client.post("/login", { ...body, headers });
        expectStatus(response, 403);
        expect(response.setCookies).toEqual([]);
      }
    }
    expect(token(client)).toBeUndefined();
  });

  test("S17: ending devices from elsewhere is refused", async () => {
    const userid = someone();
    const [here, there] = [await signedIn(target, userid), await signedIn(target, userid)];
    const { id } = (await there.get("/session")).json;
    for (const headers of FOREIGN) {
      expectStatus(await here.delete(`/sessions/${id}`, { headers }), 403);
      expectStatus(await here.post("/sessions/end", { form: { id }, headers }), 403);
      expectStatus(await here.delete("/sessions", { headers }), 403);
    }
    expect((await here.get("/sessions")).json).toHaveLength(2);
  });

  test("S17: this site's own requests, typed addresses and clients without either header pass", async () => {
    const client = await guest(target);
    const passing: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      { origin: own() },
      { "sec-fetch-site": "same-origin", origin: own() },
      { "sec-fetch-site": "same-origin", origin: "null" },
    ];
    for (const [index, headers] of passing.entries()) {
      expectStatus(await client.set(`k${index}`, 1, { headers }), 200);
      expectStatus(await client.post("/session/data", { form: { key: "form", value: "1" }, headers }), 303);
    }
  });

  test("S17: Sec-Fetch-Site decides where both are sent", async () => {
    const client = await guest(target);
    expectStatus(await client.set("a", 1, { headers: { "sec-fetch-site": "cross-site", origin: own() } }), 403);
    expectStatus(await client.set("a", 1, { headers: { "sec-fetch-site": "nonsense", origin: own() } }), 200, 403);
  });

  test("S17: safe methods pass from anywhere", async () => {
    const client = await guest(target);
    for (const headers of FOREIGN) {
      expectStatus(await client.get("/", { headers }), 200);
      expectStatus(await client.get("/session", { headers }), 200);
      expectStatus(await client.head("/", { headers }), 200);
      expectStatus(await visitor(target).get("/health", { headers }), 200);
    }
  });

  test("S17: Bearer requests are exempt, since no other site can make a browser send one", async () => {
    for (const headers of FOREIGN) {
      const { client } = await program(target);
      expectStatus(await client.set("a", 1, { headers }), 200);
      expectStatus(await client.post("/login", { json: { userid: someone(), password: PASSWORD }, headers }), 200);
    }
  });

  test("S17: a cookie with some other Authorization is no Bearer request", async () => {
    const client = await guest(target);
    for (const authorization of ["Basic YTpi", "Bearer", "Digest x"]) {
      for (const headers of FOREIGN)
        expectStatus(await client.set("forged", 1, { headers: { ...headers, authorization } }), 403);
    }
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  test("S16, S17: forwarded headers count only from a trusted proxy: neither address nor scheme nor host can be forged", async () => {
    const headers = {
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
    };
    const forged = {
      ...headers,
      forwarded: "for=203.0.113.7;proto=https;host=evil.example",
      "x-real-ip": "203.0.113.7",
    };
    const client = visitor(target, forged);
    const { setCookies } = await client.set("a", 1);
    expect(setCookies.join()).toMatch(/^session=/);
    expect(setCookies.join()).not.toMatch(/;\s*secure/i);
    expect(["127.0.0.1", "::1"]).toContain((await client.get("/session")).json.ipaddress);
    for (const origin of ["https://evil.example", "http://evil.example"]) {
      expectStatus(await client.set("a", 2, { headers: { origin } }), 403);
    }
  });

  test("S17: the method can't be hidden", async () => {
    const client = await guest(target);
    await hide(client);
    expect(await sessionOf(target, token(client))).toMatchObject({ data: { guest: true } });
  });
}

async function hide(client: Client): Promise<void> {
  for (const name of ["x-http-method-override", "x-method-override", "x-http-method"]) {
    const headers = { [name]: "DELETE" };
    await client.get("/session", { headers });
    await client.post("/session/data/delete", { form: { key: "none" }, headers });
  }
  await client.get("/session?_method=DELETE");
  await client.get("/session/data/guest?_method=DELETE");
}
