// Many requests at once on one session and on many: nothing lost, nothing mixed up, and the next request sees it.
// Change it when a handler gets a new way to write.

import { expect, test } from "vitest";
import { Client, type HttpResponse } from "../client.ts";
import { expectStatus, guest, sessionOf, type Target, token, visitor } from "./visitors.ts";

export function parallelTests(target: Target): void {
  test("S10: 200 parallel requests keep each other's keys", async () => {
    const client = await guest(target);
    const responses = await Promise.all(Array.from({ length: 200 }, (_, index) => client.set(`key ${index}`, index)));
    for (const response of responses) expectStatus(response, 200);
    const { data } = (await client.get("/session")).json;
    expect(Object.keys(data)).toHaveLength(201);
    for (let index = 0; index < 200; index++) expect(data[`key ${index}`]).toBe(index);
  });

  test("S10: requests that all began before any of them ended keep each other's keys", async () => {
    const client = await guest(target);
    const paths = Array.from({ length: 30 }, (_, index) => `/session/data/held${index}`);
    const responses = await overlapping(client, "PUT", paths, ['{"value":', "true}"]);
    for (const response of responses) expectStatus(response, 200);
    const { data } = (await client.get("/session")).json;
    expect(Object.keys(data).sort()).toEqual(["guest", ...paths.map((path) => path.slice(14))].sort());
  });

  test("S10: parallel sets and removals of different keys all happen", async () => {
    const client = await guest(target);
    for (let index = 0; index < 30; index++) await client.set(`old ${index}`, index);
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2
          ? client.set(`new ${index}`, index)
          : client.delete(`/session/data/${encodeURIComponent(`old ${index / 2}`)}`),
      ),
    );
    const keys = Object.keys((await client.get("/session")).json.data).sort();
    expect(keys).toEqual(["guest", ...Array.from({ length: 30 }, (_, index) => `new ${index * 2 + 1}`)].sort());
  });

  test("S10: parallel writes of one key leave one of the written values, whole", async () => {
    const client = await guest(target);
    const values = Array.from({ length: 30 }, (_, index) => ({ index, text: String(index).repeat(50) }));
    const responses = await Promise.all(values.map((value) => client.set("one", value)));
    for (const response of responses) expectStatus(response, 200);
    expect(values).toContainEqual((await client.get("/session")).json.data.one);
  });

  test("S11: parallel additions to the cart all count", async () => {
    const client = await guest(target);
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        client.post("/cart", { json: { sku: index % 2 ? "tea" : "cup", quantity: 1 } }),
      ),
    );
    for (const response of responses) expectStatus(response, 200);
    expect((await client.get("/cart")).json).toEqual({ cart: { tea: 50, cup: 50 } });
    expect((await client.get("/session")).json.data.guest).toBe(true);
  });

  test("S11: additions that all began before any of them ended all count", async () => {
    const client = await guest(target);
    const paths = Array.from({ length: 30 }, () => "/cart");
    const responses = await overlapping(client, "POST", paths, ['{"sku":"tea",', '"quantity":2}']);
    for (const response of responses) expectStatus(response, 200);
    expect((await client.get("/cart")).json).toEqual({ cart: { tea: 60 } });
  });

  test("S11: additions are not lost among writes of other keys", async () => {
    const client = await guest(target);
    const responses = await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        index % 2 ? client.set(`k${index}`, index) : client.post("/cart", { json: { sku: "tea", quantity: 1 } }),
      ),
    );
    for (const response of responses) expectStatus(response, 200);
    expect((await client.get("/cart")).json).toEqual({ cart: { tea: 40 } });
    expect(Object.keys((await client.get("/session")).json.data)).toHaveLength(42);
  });

  test("S12: the next request sees what a finished one wrote, on another connection too", async () => {
    const client = await guest(target);
    const other = new Client(target.url, { cookie: `session=${token(client)}` });
    try {
      for (let count = 0; count < 50; count++) {
        expectStatus(await client.set("count", count), 200);
        expect((await other.get("/session")).json.data.count).toBe(count);
      }
    } finally {
      other.close();
    }
  });

  test("S12: the page after a redirect shows what the form wrote", async () => {
    const client = visitor(target);
    for (let count = 0; count < 20; count++) {
      const value = `value number ${count}!`;
      const posted = await client.post("/session/data", { form: { key: "shown", value } });
      expectStatus(posted, 303);
      expect((await client.get(posted.headers.location ?? "")).text).toContain(value);
    }
  });

  test("S5: parallel first writes of visitors each start a session of their own", async () => {
    const client = visitor(target);
    const responses = await Promise.all(
      Array.from({ length: 30 }, (_, index) => new Client(target.url).set("mine", index)),
    );
    const tokens = responses.map((response) => /session=([^;]+)/.exec(response.setCookies[0] ?? "")?.[1]);
    expect(new Set(tokens).size).toBe(30);
    for (const [index, secret] of tokens.entries())
      expect((await sessionOf(target, secret)).data).toEqual({ mine: index });
    expect(token(client)).toBeUndefined();
  });

  test("S10: 30 visitors at once see their own data, never another's", async () => {
    const visitors = await Promise.all(Array.from({ length: 30 }, () => guest(target)));
    await Promise.all(
      visitors.map(async (client, index) => {
        for (let round = 0; round < 5; round++) {
          await client.set("mine", `${index}/${round}`);
          expect((await client.get("/session")).json.data).toEqual({ guest: true, mine: `${index}/${round}` });
        }
      }),
    );
  });
}

/** Sends the first half of each body, and the second halves only when all requests have begun: their sessions are loaded by then. */
async function overlapping(
  client: Client,
  method: string,
  paths: string[],
  halves: [string, string],
): Promise<HttpResponse[]> {
  const requests = paths.map((path) => client.begin(method, path));
  await Promise.all(requests.map((request) => request.write(halves[0])));
  // Once the server has responded to this request, it has had the chance to read the headers of the others.
  for (let count = 0; count < 3; count++) await client.get("/session");
  return Promise.all(requests.map((request) => request.finish(halves[1])));
}
