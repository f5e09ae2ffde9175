// HTTP itself: HEAD, kept connections, pipelining, chunks, clients that hang up.
// Change it when an adapter treats responses in a new way.

import { expect, test } from "vitest";
import { sendRaw } from "../client.ts";
import { expectStatus, guest, sessionOf, type Target, token, visitor } from "./visitors.ts";

export function protocolTests(target: Target): void {
  test("S12: HEAD gets the response that GET gets, without the body", async () => {
    const client = await guest(target);
    for (const path of ["/", "/session", "/cart", "/health", "/health/live", "/nothing"]) {
      const [head, get] = [await client.head(path), await client.get(path)];
      expect(head.status, path).toBe(get.status);
      expect(head.text).toBe("");
      expect(head.headers["content-type"], path).toBe(get.headers["content-type"]);
    }
    expectStatus(await visitor(target).head("/session"), 404);
  });

  test("S12: HEAD of the page is one request to the session, as GET is: the counter goes up by one", async () => {
    const client = await guest(target);
    await client.get("/");
    const { visits } = (await client.get("/session")).json.data;
    expectStatus(await client.head("/"), 200);
    expect((await client.get("/session")).json.data.visits).toBe(visits + 1);
  });

  test("S2: requests of different visitors on one connection don't share anything", async () => {
    const [first, second] = [await guest(target), await guest(target)];
    await first.set("who", "first");
    await second.set("who", "second");
    const ask = (cookie: string, end = "") =>
      `GET /session HTTP/1.1\r\nHost: ${new URL(target.url()).host}\r\n${cookie}${end}\r\n`;
    const { text } = await sendRaw(
      target.url(),
      ask(`Cookie: session=${token(first)}\r\n`) +
        ask("") +
        ask(`Cookie: session=${token(second)}\r\n`) +
        ask(`Authorization: Bearer ${token(first)}\r\n`, "Connection: close\r\n"),
    );
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(["200", "404", "200", "200"]);
    expect([...text.matchAll(/"who":"(\w+)"/g)].map((match) => match[1])).toEqual(["first", "second", "first"]);
  });

  test("S12: a body in chunks is read like any other", async () => {
    const client = await guest(target);
    const write = client.begin("PUT", "/session/data/chunks");
    for (const piece of ['{"va', 'lue":', '[1,"', "ü"]) await write.write(piece);
    expectStatus(await write.finish('",3]}'), 200);
    expect((await client.get("/session")).json.data.chunks).toEqual([1, "ü", 3]);
  });

  test("F6: a client that hangs up while sending changes nothing, and others are served", async () => {
    const client = await guest(target);
    for (let count = 0; count < 20; count++) {
      const write = client.begin("PUT", "/session/data/half", { headers: { "content-length": "1000" } });
      await write.write('{"value":');
      write.abort();
    }
    for (const bytes of [
      "PUT /session/data/half HTTP/1.1\r\nHost: x\r\nContent-Le",
      `PUT /session/data/half HTTP/1.1\r\nHost: x\r\nCookie: session=${token(client)}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"value":1}`,
      "GET",
    ]) {
      await sendRaw(target.url(), bytes, { hangUp: true });
    }
    expect(await sessionOf(target, token(client))).toMatchObject({ data: { guest: true } });
    expect((await client.get("/session")).json.data).toEqual({ guest: true });
    expectStatus(await visitor(target).get("/health"), 200);
  });

  test("F6: a client that doesn't wait for the response does no harm; its write is there or not, never half", async () => {
    const client = await guest(target);
    for (let count = 0; count < 20; count++) {
      const write = client.begin("PUT", `/session/data/left${count}`);
      await write.write('{"value":[1,2,3]}');
      void write.finish().catch(() => undefined);
      setImmediate(write.abort);
    }
    expectStatus(await client.set("after", 1), 200);
    await expect
      .poll(async () => {
        const { guest: kept, after, ...left } = (await client.get("/session")).json.data;
        return (
          kept === true && after === 1 && Object.values(left).every((value) => JSON.stringify(value) === "[1,2,3]")
        );
      })
      .toBe(true);
    expectStatus(await visitor(target).get("/health"), 200);
  });

  test("F6: HTTP/1.0 and a request without Host get an HTTP response below 500", async () => {
    for (const bytes of [
      "GET /session HTTP/1.0\r\n\r\n",
      "GET /session HTTP/1.1\r\nConnection: close\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
    ]) {
      const { status } = await sendRaw(target.url(), bytes);
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
    }
  });

  test("section 5: a request with Expect: 100-continue is served", async () => {
    const client = await guest(target);
    expectStatus(
      await client.put("/session/data/expect", { json: { value: 1 }, headers: { expect: "100-continue" } }),
      200,
    );
    expect((await client.get("/session")).json.data.expect).toBe(1);
  });
}
