// Every shape in which an Express app may respond, over real HTTP: the session is saved before the client sees anything.
// Add a shape here when a middleware or a new way to respond turns up.
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import compression from "compression";
import type { Request, Response } from "express";
import { describe, expect, test } from "vitest";
import { fetchRaw, put, serve } from "./express.ts";

describe("S12: saved before the response", () => {
  const shapes: [string, (request: Request, response: Response) => unknown, number, string][] = [
    ["send", (_, response) => response.send("hello"), 200, "hello"],
    ["json", (_, response) => response.json({ a: 1 }), 200, '{"a":1}'],
    ["redirect", (_, response) => response.redirect("/x"), 302, "Found. Redirecting to /x"],
    ["end without a body", (_, response) => response.status(204).end(), 204, ""],
    ["304", (_, response) => response.status(304).end(), 304, ""],
    ["writeHead, then end", (_, response) => response.writeHead(201, { "x-a": "1" }).end("hello"), 201, "hello"],
    ["writeHead with a reason", (_, response) => response.writeHead(201, "Made").end("hello"), 201, "hello"],
    [
      "writeHead with a list in a list",
      (_, response) => response.writeHead(200, ["x-a", ["1", "2"], "x-b", "3"] as never).end("hello"),
      200,
      "hello",
    ],
    [
      "writeHead with a flat list",
      (_, response) => response.writeHead(200, ["x-a", "1", "x-a", "2"]).end("hello"),
      200,
      "hello",
    ],
    [
      "write, write, end",
      (_, response) => {
        response.write("he");
        response.write("ll");
        response.end("o");
      },
      200,
      "hello",
    ],
    ["a stream", (_, response) => Readable.from(["he", "l", "lo"]).pipe(response), 200, "hello"],
    [
      "end twice",
      (_, response) => {
        response.end("hello");
        response.end("again");
      },
      200,
      "hello",
    ],
    [
      "end, then an error",
      (_, response) => {
        response.send("hello");
        throw new Error("too late");
      },
      200,
      "hello",
    ],
    [
      "an error after the write",
      () => {
        throw Object.assign(new Error("broken"), { status: 418 });
      },
      418,
      '{"error":"broken"}',
    ],
    ["sendFile", (_, response) => response.sendFile(import.meta.filename), 200, "// Every shape"],
    [
      "flushHeaders first",
      (_, response) => {
        response.flushHeaders();
        response.end("hello");
      },
      200,
      "hello",
    ],
  ];
  test.each(shapes)("S12: %s", async (_, answer, status, body) => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      return answer(request, response) as never;
    });
    const reply = await fetchRaw(url);
    expect(await app.stored()).toEqual([{ here: 1 }]);
    expect(reply).toMatchObject({ status, cookie: expect.stringMatching(/^session=[\w-]{64}$/) });
    expect(reply.body.slice(0, 24)).toContain(body.slice(0, 14));
    const next = await fetchRaw(url, "GET", { cookie: reply.cookie ?? "" });
    expect(next.status).toBe(status);
    expect(next.headers["set-cookie"]).toBeUndefined();
  });

  test("S12: HEAD", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.send("hello");
    });
    const reply = await fetchRaw(url, "HEAD");
    expect(reply).toMatchObject({ status: 200, body: "", cookie: expect.any(String) });
    expect(reply.headers["content-length"]).toBe("5");
    expect(await app.stored()).toEqual([{ here: 1 }]);
  });

  test("S12: a stream's backpressure is kept: 2 MB arrive whole, and the first byte waits for the save", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      Readable.from(Array(32).fill(Buffer.alloc(65_536, "x"))).pipe(response);
    });
    const sent = get(url);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(await app.stored()).toEqual([{ here: 1 }]);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(2_097_152);
  });

  test("S12: what an existing session is given while the response streams is saved before it ends", async () => {
    const { app, url } = await serve((request, response) => {
      if (!request.session.exists) {
        put(request, "here");
        return void response.end();
      }
      response.write("first ");
      put(request, "later");
      return void response.end("last");
    });
    const { cookie } = await fetchRaw(url);
    const reply = await fetchRaw(url, "GET", { cookie: cookie ?? "" });
    expect(reply.body).toBe("first last");
    expect(await app.stored()).toEqual([{ here: 1, later: 1 }]);
  });

  test("S12: a session that would start after the headers have been sent is not, and that is reported", async () => {
    const { app, url } = await serve((request, response) => {
      response.write("first ");
      put(request, "late");
      response.end("last");
    });
    expect((await fetchRaw(url)).body).toBe("first last");
    expect(await app.stored()).toEqual([]);
    expect(app.events).toEqual([
      expect.objectContaining({ type: "warning", message: expect.stringContaining("too late") }),
    ]);
  });

  test("S12: a client that has gone before the response: what the handler wrote is saved", async () => {
    const entered = Promise.withResolvers<Response>();
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      entered.resolve(response);
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const response = await entered.promise;
    socket.destroy();
    await once(response, "close");
    await expect.poll(() => app.stored()).toEqual([{ here: 1 }]);
  });

  test.each([
    ["before", { before: [compression({ threshold: 0 })] }],
    ["after", { after: [compression({ threshold: 0 })] }],
  ])("S12: with compression %s the session middleware", async (_, middleware) => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.type("text").write("hello ".repeat(1000));
      response.end("world");
    }, middleware);
    const response = await fetch(url, { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toBe(`${"hello ".repeat(1000)}world`);
    expect(await app.stored()).toEqual([{ here: 1 }]);
  });
});

// With functions of its own, which know the response, each would survive the collections of young objects.
test("S12: responses are held by functions that all of them share", async () => {
  const methods: unknown[][] = [];
  const { url } = await serve((_, response) => {
    methods.push([response.writeHead, response.write, response.end, response.flushHeaders]);
    response.end();
  });
  await fetchRaw(url);
  await fetchRaw(url);
  expect(methods).toHaveLength(2);
  expect(methods[1]).toEqual(methods[0]);
});
