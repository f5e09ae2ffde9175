// How bodies are read, before their content is checked: compression, charsets, types, limits. It is the same in all frameworks.
// Change it with `bodyFormat` in the projects' src/example/input.ts.

import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Client } from "../client.ts";
import { expectError, expectStatus, guest, signedIn, someone, type Target, visitor } from "./visitors.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const ITEM = '{"sku":"tea","quantity":1}';

export function bodyTests(target: Target): void {
  test("F6, section 5: a compressed body is 415 {error}, whatever is in it, and saves nothing", async () => {
    const client = await guest(target);
    const bodies: [encoding: string, body: Buffer][] = [
      ["gzip", gzipSync(ITEM)],
      ["deflate", deflateSync(ITEM)],
      ["br", brotliCompressSync(ITEM)],
      ["GZIP", gzipSync(ITEM)],
      ["gzip, gzip", gzipSync(gzipSync(ITEM))],
      ["nonsense", Buffer.from(ITEM)],
      ...["gzip", "deflate", "br"].map((encoding): [string, Buffer] => [encoding, Buffer.from("garbage")]),
      // A bomb: unpacked it would be 64 MB.
      ["gzip", gzipSync(Buffer.alloc(64 * 1024 * 1024, " "))],
    ];
    for (const [encoding, body] of bodies) {
      for (const type of [JSON_TYPE, FORM_TYPE]) {
        const headers = { "content-type": type, "content-encoding": encoding };
        for (const path of ["/cart", "/login", "/logout"]) expectError(await client.post(path, { body, headers }), 415);
      }
    }
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
    expect((await client.get("/cart")).json).toEqual({ cart: {} });
  });

  test("section 5: the encoding identity is none, however it is written", async () => {
    for (const encoding of ["identity", "Identity"]) {
      expectStatus(await send(await guest(target), JSON_TYPE, ITEM, { "content-encoding": encoding }), 200);
    }
  });

  test("S9, section 5: a body in another charset than UTF-8 is 415 {error}: nothing is stored garbled", async () => {
    const client = await guest(target);
    for (const charset of ["iso-8859-1", "latin1", "utf-16", "utf-16le", "us-ascii", "nonsense", '"utf-32"']) {
      const body = Buffer.from('{"sku":"t\u00e9","quantity":1}', "latin1");
      expectError(await send(client, `${JSON_TYPE}; charset=${charset}`, body), 415);
      expectError(await send(client, `${FORM_TYPE};charset=${charset}`, "sku=t%E9&quantity=1"), 415);
    }
    expect((await client.get("/cart")).json).toEqual({ cart: {} });
  });

  test("section 5: UTF-8 is read, however it is named, and a byte order mark is no part of it", async () => {
    for (const type of ["", "; charset=utf-8", ";charset=UTF-8", '; charset="utf-8"', " ; charset=utf-8", "; a=b"]) {
      const client = await guest(target);
      expectStatus(await send(client, JSON_TYPE + type, '{"sku":"té","quantity":1}'), 200);
      expectStatus(await send(client, JSON_TYPE + type, '\ufeff{"sku":"té","quantity":1}'), 200);
      expect((await client.get("/cart")).json).toEqual({ cart: { té: 2 } });
    }
  });

  test("section 5: a form is a form, however its type is written: 303", async () => {
    for (const type of ["", "; charset=utf-8", " ; charset=utf-8", ";a=b", " ;", ";"]) {
      for (const name of [FORM_TYPE, "Application/X-WWW-Form-URLencoded"]) {
        expectStatus(await send(await guest(target), name + type, "sku=tea&quantity=1"), 303);
      }
    }
  });

  test("section 5: malformed JSON is 400 {error} also where no body is needed, and nothing has happened", async () => {
    const client = await signedIn(target, someone());
    for (const [method, path] of [
      ["POST", "/session"],
      ["POST", "/session/start"],
      ["POST", "/logout"],
      ["DELETE", "/session"],
      ["DELETE", "/session/data/a"],
      ["DELETE", "/sessions"],
      ["POST", "/sessions/end-others"],
    ] as const) {
      expectError(await client.send(method, path, { body: "{", headers: { "content-type": JSON_TYPE } }), 400);
    }
    expectStatus(await client.get("/session"), 200);
    // Some frameworks read a body before they look for a route.
    expectError(await client.post("/nothing", { body: "{", headers: { "content-type": JSON_TYPE } }), 400, 404);
  });

  test("section 5: a body of more than 256 kB is 413 {error} also where none is needed", async () => {
    const client = await signedIn(target, someone());
    for (const [method, path] of [
      ["POST", "/session"],
      ["POST", "/logout"],
      ["DELETE", "/session"],
    ] as const) {
      expectError(await client.send(method, path, { json: "x".repeat(300_000) }), 413);
      expectError(await client.send(method, path, { form: "x".repeat(300_000) }), 413);
    }
    expectStatus(await client.get("/session"), 200);
  });

  test("section 5: a form may have any number of fields", async () => {
    for (const form of [`${"a=1&".repeat(5_000)}sku=tea&quantity=1`, `sku=tea&quantity=1${"&a=1".repeat(5_000)}`]) {
      const client = visitor(target);
      expectStatus(await client.post("/cart", { form }), 303);
      expect((await client.get("/cart")).json).toEqual({ cart: { tea: 1 } });
    }
  });
}

function send(client: Client, type: string, body: string | Buffer, headers: Record<string, string> = {}) {
  return client.post("/cart", { body, headers: { "content-type": type, ...headers } });
}
