// Malicious input: it gets a status below 500, and afterwards everything is as it was.
// Add to the lists whatever you have seen in a log; HOSTILE_REQUESTS says how many random tokens are tried.

import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Client, orHangUp, sendRaw } from "../client.ts";
import { INJECTIONS } from "./odd-input.ts";
import {
  expectError,
  expectNoInsides,
  expectStatus,
  guest,
  signedIn,
  someone,
  type Target,
  token,
  visitor,
} from "./visitors.ts";

const REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? 400);

export function hostileTests(target: Target): void {
  let witness: Client;
  let before: string;

  beforeEach(async () => {
    witness = new Client(target.url);
    await witness.post("/login", { json: { userid: someone("witness"), password: "demo" } });
    await witness.set("precious", { kept: true });
    before = await seen(witness);
  });

  afterEach(async () => {
    expect(await seen(witness), "the witness' session is as it was").toBe(before);
    expect((await witness.get("/health")).json).toEqual({ store: "up" });
    witness.close();
  });

  test(`F6: ${REQUESTS} random and mutated tokens open nothing`, async () => {
    const real = token(await signedIn(target, someone())) ?? "";
    const clients = Array.from({ length: 8 }, () => visitor(target));
    await Promise.all(
      clients.map(async (client, lane) => {
        for (let count = lane; count < REQUESTS; count += clients.length) {
          const guess = mutate(real, count);
          const headers: Record<string, string> =
            count % 2 ? { cookie: `session=${guess}` } : { authorization: `Bearer ${guess}` };
          const response = await client.get("/session", { headers });
          expect(response.status, `${JSON.stringify(headers)} got ${response.text}`).toBe(404);
          expect(response.setCookies).toEqual([]);
        }
      }),
    );
  });

  test("F6: SQL, operators and paths in every field are text and nothing else", async () => {
    const client = await guest(target);
    for (const text of INJECTIONS) {
      const encoded = encodeURIComponent(text);
      const responses = [
        await client.put(`/session/data/${encoded}`, { json: { value: text } }),
        await client.delete(`/session/data/${encoded}`),
        await client.post("/cart", { json: { sku: text, quantity: 1 } }),
        await client.post("/session/data", { form: { key: text, value: text } }),
        await client.post("/session/data/delete", { form: { key: text } }),
        await client.post("/sessions/end", { form: { id: text } }),
        await client.delete(`/sessions/${encoded}`),
        await client.get(`/session?${encoded}=${encoded}`),
        await client.get(`/${encoded}`),
        await visitor(target).post("/login", { json: { userid: text, password: "demo" } }),
        await visitor(target).post("/login", { json: { userid: "admin", password: text } }),
        await visitor(target).post("/login", { form: { userid: text, password: text } }),
        await visitor(target).post("/login", { form: `userid[$ne]=&password[$ne]=${encoded}` }),
        await visitor(target, { authorization: `Bearer ${encoded}` }).get("/sessions"),
        await visitor(target, { cookie: `session=${encoded}; ${encoded}=1` }).get("/sessions"),
      ];
      for (const [index, response] of responses.entries()) {
        expect(
          response.status,
          `field ${index} with ${JSON.stringify(text.slice(0, 40))}: ${response.text.slice(0, 300)}`,
        ).toBeLessThan(500);
        expectNoInsides(response);
      }
    }
    expect((await client.get("/session")).json.userid).toBeNull();
  });

  test("F6: an injected userid lists its own sessions only", async () => {
    for (const userid of ["' OR '1'='1", "%", "_", "*", '{"$ne":null}', "\\"]) {
      const name = `${userid}${someone()}`;
      const client = await signedIn(target, name);
      expect((await client.get("/sessions")).json).toHaveLength(1);
      expect((await client.delete("/sessions")).json).toEqual({ ended: 0 });
    }
  });

  test("F6: bytes that are no text, odd targets and malformed requests get a response below 500", async () => {
    const host = new URL(target.url()).host;
    const cases = [
      "GET /session HTTP/1.1\r\nHost: H\r\nCookie: session=\xff\xfe\xfd\r\nConnection: close\r\n\r\n",
      "GET /session HTTP/1.1\r\nHost: H\r\nCookie: session=\x00\r\nConnection: close\r\n\r\n",
      "GET /session HTTP/1.1\r\nHost: H\r\nAuthorization: Bearer \xc3\x28\r\nConnection: close\r\n\r\n",
      "GET /\x00 HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "GET /\xff HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "GET /session/../../etc/passwd HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "GET //evil.example/%2f.. HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "GET http://evil.example/session HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "GET /session HTTP/1.1\r\nHost: H:99999\r\nConnection: close\r\n\r\n",
      "GET /session HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n",
      "GET /session HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n",
      "POST /login HTTP/1.1\r\nHost: [::1\r\nOrigin: http://[::1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "TRACE / HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "PROPFIND /session HTTP/1.1\r\nHost: H\r\nConnection: close\r\n\r\n",
      "NONSENSE / HTTP/1.1\r\nHost: H\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: H\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "POST /cart HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
      "POST /cart HTTP/1.1\r\nHost: H\r\nContent-Length: -1\r\n\r\n",
      "PUT /session/data/a HTTP/1.1\r\nHost: H\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    ];
    for (const text of cases) {
      const bytes = Buffer.from(text.replace("Host: H", `Host: ${host}`), "latin1");
      const { status, text: received } = await sendRaw(target.url(), bytes);
      // 0 would be a connection that ended without a word.
      expect(status, JSON.stringify(text)).toBeGreaterThanOrEqual(200);
      expect(status, JSON.stringify(text)).toBeLessThan(500);
      expect(received, "no redirect to another host").not.toMatch(/^location: *(?:\/\/|\w+:)/im);
    }
  });

  test("F6: invalid percent-encoding in a path is 400 or 404, or in a key the very text; in a form it is text", async () => {
    const client = await guest(target);
    for (const part of ["%", "%z", "%zz", "%E0%A4%A", "%C0%AF", "%FF%FE", "%ED%A0%80", "a%", "%%"]) {
      for (const [method, path] of [
        ["GET", `/${part}`],
        ["DELETE", `/sessions/${part}`],
      ] as const) {
        const response = await client.send(method, path);
        expectStatus(response, 400, 404);
        expectNoInsides(response);
      }
      // Some routers hand on what they can't decode as it is.
      const put = await client.put(`/session/data/${part}`, { json: { value: 1 } });
      expectStatus(put, 200, 400);
      expectNoInsides(put);
      const { data } = (await client.get("/session")).json;
      expect(data).toEqual({ guest: true, ...(put.status === 200 && { [part]: 1 }) });
      expectStatus(await client.delete(`/session/data/${part}`), put.status);
      expectStatus(await client.get(`/?${part}=${part}`), 200);
      expectStatus(await client.post("/session/data", { form: `key=form&value=${part}` }), 303);
      expectStatus(await client.delete("/session/data/form"), 200);
      expectStatus(await client.delete("/session/data/visits"), 200);
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
  });

  test("F6: oversized and countless cookies and headers", async () => {
    const real = token(await guest(target));
    const floods: Record<string, string>[] = [
      { cookie: `session=${"A".repeat(12_000)}` },
      { cookie: `session=${"A".repeat(200_000)}` },
      { cookie: "session=A; ".repeat(1_000) },
      { cookie: `${"a=1; ".repeat(2_500)}session=${real}` },
      { cookie: `${"=; ".repeat(4_000)}` },
      { cookie: `session="${"\\".repeat(8_000)}"` },
      { authorization: `Bearer ${"A".repeat(12_000)}` },
      { authorization: "Bearer ".repeat(1_500) },
      { "user-agent": "U".repeat(12_000) },
      { accept: "text/html,".repeat(1_200) },
      { "accept-encoding": "gzip,".repeat(2_500) },
      { "content-type": `application/json;${"a=b;".repeat(2_500)}` },
      { origin: `http://${"a.".repeat(5_000)}` },
      { "x-forwarded-for": "1.2.3.4,".repeat(1_500) },
      { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" },
      Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`x-${index}`, "1"])),
      Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`x-${index}`, "1"])),
    ];
    for (const headers of floods) {
      const name = Object.keys(headers)[0];
      for (const method of ["GET", "POST"]) {
        const path = method === "GET" ? "/session" : "/cart";
        const response = await orHangUp(visitor(target).send(method, path, { headers }));
        expect(response.status, `${method} with a flood of ${name}: ${response.text.slice(0, 200)}`).toBeLessThan(500);
        expectNoInsides(response);
      }
    }
  });

  test("F6: oversized bodies, keys and paths are refused", async () => {
    const client = await guest(target);
    const huge = "x".repeat(3_000_000);
    const headers = { "content-type": "application/json" };
    // 0: the server hung up while the rest was still being sent.
    expectStatus(await orHangUp(client.put("/session/data/big", { json: { value: huge } })), 413, 0);
    expectStatus(await orHangUp(client.post("/session/data", { form: { key: "big", value: huge } })), 413, 0);
    expectStatus(await orHangUp(client.post("/login", { json: { userid: huge, password: "demo" } })), 413, 0);
    expectStatus(
      await orHangUp(client.put("/session/data/big", { body: "[".repeat(3_000_000), headers })),
      400,
      413,
      0,
    );
    expectStatus(await client.post("/session/data", { form: "a=1&".repeat(20_000) }), 400, 413, 422);
    expectStatus(await client.put(`/session/data/${"k".repeat(5_000)}`, { json: { value: 1 } }), 413, 414, 422);
    expect((await client.get(`/${"p".repeat(10_000)}`)).status).toBe(404);
    expect((await client.get(`/${"a/".repeat(5_000)}`)).status).toBe(404);
    expectStatus(await orHangUp(client.get(`/${"p".repeat(100_000)}`)), 414, 431, 0);
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
  });

  // Parsers that copy a list for each repeated field take longer for these than the client waits (20 s).
  test.each([
    ["empty fields", "&".repeat(260_000)],
    ["one field, repeated", "a=1&".repeat(65_000)],
    ["one list, repeated", "a[]=1&".repeat(43_000)],
    ["one list by index", Array.from({ length: 22_000 }, (_, index) => `a[${index}]=1`).join("&")],
    ["one field, nested", `a${"[a]".repeat(86_000)}=1`],
    ["different fields", Array.from({ length: 25_000 }, (_, index) => `a${index}=1`).join("&")],
    ["percent signs", `a=${"%zz".repeat(86_000)}`],
  ])("F6: a form of nearly 256 kB is parsed without keeping the app busy: %s", async (_name, form) => {
    const client = await guest(target);
    expectError(await client.post("/session/data", { form }), 400, 413, 422);
    expectStatus(await visitor(target).get("/health"), 200);
  });

  test("F6: bodies that aim at prototypes and parsers", async () => {
    const client = await guest(target);
    const headers = { "content-type": "application/json" };
    const bodies = [
      '{"__proto__":{"value":1,"sku":"a","quantity":1,"userid":"root","password":"demo"}}',
      '{"constructor":{"prototype":{"value":1}}}',
      '{"value":{"toJSON":1,"then":1,"length":-1,"hasOwnProperty":1}}',
      '{"value":{"__proto__":null}}',
      `{${'"a":1,'.repeat(3_000)}"value":1}`,
      '{"value":1,"value":2}',
      '{"value":1e999}',
      '{"value":-0}',
      `{"value":${"9".repeat(5_000)}}`,
    ];
    for (const body of bodies) {
      for (const [method, path] of [
        ["PUT", "/session/data/aim"],
        ["POST", "/cart"],
        ["POST", "/login"],
      ] as const) {
        const response = await client.send(method, path, { body, headers });
        expect(response.status, `${path} with ${body.slice(0, 60)}: ${response.text.slice(0, 200)}`).toBeLessThan(500);
      }
    }
    for (const form of [
      "__proto__[key]=a&value=1",
      "key[__proto__][x]=1&value=1",
      "constructor[prototype][x]=1",
      "key=a&value=1&__proto__=x",
      "key[]=a&value[]=b",
      "=&=&=",
      "&&&",
    ]) {
      expect((await client.post("/session/data", { form })).status).toBeLessThan(500);
    }
    expect((await client.get("/session")).json.userid).toBeNull();
    const fresh = visitor(target);
    expect((await fresh.put("/session/data/a", { json: {} })).status, "prototypes are clean").toBe(422);
  });
}

async function seen(witness: Client): Promise<string> {
  const [session, sessions] = [await witness.get("/session"), await witness.get("/sessions")];
  const { id, userid, created, ipaddress, data } = session.json;
  return JSON.stringify({ id, userid, created, ipaddress, data, sessions: sessions.json.length });
}

/** Random bytes, or the real token with something changed. Never the real one. */
function mutate(real: string, count: number): string {
  const position = count % real.length;
  const other = real[position] === "A" ? "B" : "A";
  switch (count % 10) {
    case 0:
    case 1:
      return randomBytes(48).toString("base64url");
    case 2:
      return randomBytes(1 + (count % 90)).toString("base64url");
    case 3:
      return real.slice(0, position);
    case 4:
      return real.slice(0, position) + real.slice(position + 1);
    case 5:
      return `${real.slice(0, position)}${other}${real.slice(position)}`;
    case 6:
      return real.slice(0, 22) + randomBytes(42).toString("base64url").slice(0, 42);
    case 7:
      return encodeURIComponent(randomBytes(24).toString("latin1"));
    case 8:
      return real.split("").reverse().join("");
    default:
      return real.slice(0, position) + other + real.slice(position + 1);
  }
}
