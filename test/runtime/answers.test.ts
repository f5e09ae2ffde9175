// Every shape in which an Express app may answer, over real HTTP: the session is saved before the client sees anything.
// Add a shape here when a middleware or a new way to answer turns up.
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import compression from "compression";
import type express from "express";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { NodeRequest } from "../../runtime/src/session/request.ts";
import { sessionMiddleware } from "../../templates/frameworks/express/files/src/session/adapter.ts";
import { type App, dataOf, open } from "./visitor.ts";

/** Express as the pack has it, which need not be the one that some tool has brought. */
const pack = createRequire(new URL("../../templates/frameworks/express/package.json", import.meta.url));
const app5 = pack("express") as typeof express;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Reply {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  cookie: string | undefined;
}

const errors: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  return response.status(error.status ?? 500).json({ error: error.message });
};

/** An app whose writes take a moment, so that an answer that doesn't wait for them is found out. */
async function serve(handle: RequestHandler, { before = [] as RequestHandler[], after = [] as RequestHandler[] } = {}) {
  const app = await open("memory");
  if (app === undefined) throw new Error("the memory store needs no server");
  for (const name of ["create", "change"] as const) {
    const method = app.driver[name].bind(app.driver) as (...args: unknown[]) => Promise<never>;
    app.driver[name] = async (...args: unknown[]) => {
      await new Promise((resume) => setTimeout(resume, 20));
      return method(...args);
    };
  }
  const server = app5().use(...before, sessionMiddleware(app.sessions), ...after, handle, errors);
  return { app, url: await listen(server) };
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function fetchRaw(url: string, method = "GET", headers: Record<string, string> = {}): Promise<Reply> {
  const sent = request(url, { method, headers, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let body = "";
  response.setEncoding("utf8").on("data", (text) => {
    body += text;
  });
  await once(response, "close");
  const cookie = response.headers["set-cookie"]?.find((line) => line.startsWith("session="))?.split(";")[0];
  return { status: response.statusCode ?? 0, headers: response.headers, body, cookie };
}

/** What the store holds, asked at the moment in which the answer is there. */
async function stored(app: App): Promise<unknown[]> {
  return (await app.driver.page({ now: app.now, limit: 10 })).map(({ data }) => JSON.parse(data));
}

function put(request: Request, key: string, value: unknown = 1): void {
  dataOf(request.session)[key] = value;
}

describe("S12: saved before the answer", () => {
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
    expect(await stored(app)).toEqual([{ here: 1 }]);
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
    expect(await stored(app)).toEqual([{ here: 1 }]);
  });

  test("S12: a stream's backpressure is kept: 2 MB arrive whole, and the first byte waits for the save", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      Readable.from(Array(32).fill(Buffer.alloc(65_536, "x"))).pipe(response);
    });
    const sent = get(url);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(await stored(app)).toEqual([{ here: 1 }]);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(2_097_152);
  });

  test("S12: what an existing session is given while the answer streams is saved before it ends", async () => {
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
    expect(await stored(app)).toEqual([{ here: 1, later: 1 }]);
  });

  test("S12: a session that would start after the headers have left is not, and that is told", async () => {
    const { app, url } = await serve((request, response) => {
      response.write("first ");
      put(request, "late");
      response.end("last");
    });
    expect((await fetchRaw(url)).body).toBe("first last");
    expect(await stored(app)).toEqual([]);
    expect(app.events).toEqual([
      expect.objectContaining({ type: "warning", message: expect.stringContaining("too late") }),
    ]);
  });

  test("S12: a client that has gone before the answer: what the handler wrote is saved", async () => {
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
    await expect.poll(() => stored(app)).toEqual([{ here: 1 }]);
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
    expect(await stored(app)).toEqual([{ here: 1 }]);
  });
});

describe("failures", () => {
  test("S12, F1: if saving fails the client gets the error, and nothing of the success", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.status(201).set({ "x-mine": "kept", ETag: '"1"' }).cookie("other", "1").json({ ok: true });
    });
    app.driver.create = async () => {
      throw new StoreUnavailable("down");
    };
    const reply = await fetchRaw(url);
    expect(reply).toMatchObject({ status: 503, body: '{"error":"down"}', cookie: undefined });
    expect(reply.headers).toMatchObject({ "x-mine": "kept", "content-type": "application/json; charset=utf-8" });
    expect(reply.headers.etag).not.toBe('"1"');
  });

  test("S12: an answer that was sent before an error is judged by itself", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "large", "x".repeat(70_000));
      response.json({ saved: true });
      throw new Error("too late");
    });
    expect(await fetchRaw(url)).toMatchObject({ status: 413, cookie: undefined });
    expect(await stored(app)).toEqual([]);
  });

  test("S12: an error after a part of the answer cuts it off, as without sessions", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.write("part");
      throw new Error("broken");
    });
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    await expect.poll(() => stored(app)).toEqual([{ here: 1 }]);
  });

  test("S12: what a handler still writes after its save was refused is dropped", async () => {
    const later = Promise.withResolvers<boolean>();
    const { url } = await serve((request, response) => {
      put(request, "large", "x".repeat(70_000));
      response.write("part");
      response.once("finish", () => {
        later.resolve(response.write("more"));
        response.end("end");
      });
    });
    expect(await fetchRaw(url)).toMatchObject({ status: 413, body: expect.stringContaining("more than the 65536") });
    expect(await later.promise).toBe(false);
  });

  test("S4: a new token after the headers have left is told, since the client can't learn it", async () => {
    const { app, url } = await serve(async (request, response) => {
      response.flushHeaders();
      await request.session.signIn("ann");
      response.end();
    });
    await fetchRaw(url);
    expect(app.events).toContainEqual({ type: "warning", message: expect.stringContaining("can't learn it") });
  });

  test("S12: a handler's own error stands if saving fails as well, and what was not saved is told", async () => {
    const { app, url } = await serve((request) => {
      put(request, "here");
      throw Object.assign(new Error("broken"), { status: 418 });
    });
    app.driver.create = async () => {
      throw new StoreUnavailable("down");
    };
    expect(await fetchRaw(url)).toMatchObject({ status: 418, body: '{"error":"broken"}', cookie: undefined });
    expect(app.events).toContainEqual({ type: "warning", message: "A session was not saved: down" });
  });

  test("S12: if saving fails while the answer streams, the answer is cut off, not finished", async () => {
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
    app.driver.change = async () => {
      throw new StoreUnavailable("down");
    };
    await expect(
      fetch(url, { headers: { cookie: cookie ?? "" } }).then((response) => response.text()),
    ).rejects.toThrow();
  });

  test("F1: with the store down anonymous requests are served, and those with a session get 503", async () => {
    const { app, url } = await serve((request, response) => void response.send(String(request.session.exists)));
    const { token } = await app.sessions.start(new NodeRequest({ headers: {}, socket: {} } as IncomingMessage));
    app.driver.read = async () => {
      throw new StoreUnavailable("down");
    };
    expect(await fetchRaw(url)).toMatchObject({ status: 200, body: "false" });
    expect(await fetchRaw(url, "GET", { authorization: `Bearer ${token}` })).toMatchObject({ status: 503 });
  });
});

describe("headers", () => {
  test("S4: other Set-Cookie headers survive, wherever they are set", async () => {
    const { url } = await serve(
      (request, response) => {
        put(request, "here");
        response.cookie("b", "2");
        response.writeHead(200, { "Set-Cookie": ["b=2", "c=3"] }).end();
      },
      {
        before: [
          (_, response, next) => {
            response.cookie("a", "1");
            next();
          },
        ],
      },
    );
    const { headers } = await fetchRaw(url);
    expect(headers["set-cookie"]?.map((line) => line.split("=")[0]).sort()).toEqual(["b", "c", "session"]);
    const plain = await serve((request, response) => {
      put(request, "here");
      response.cookie("a", "1").send();
    });
    expect((await fetchRaw(plain.url)).headers["set-cookie"]).toHaveLength(2);
  });

  test("S23: a handler's own Cache-Control stays, but for an answer with a token; Vary is added to", async () => {
    const { url } = await serve((request, response) => {
      if (!request.session.exists) put(request, "here");
      response.set({ "Cache-Control": "max-age=5", Vary: "Accept" }).send();
    });
    const { headers, cookie } = await fetchRaw(url);
    expect(headers).toMatchObject({ "cache-control": "private, max-age=5", vary: "Accept, Cookie" });
    const again = await fetchRaw(url, "GET", { cookie: cookie ?? "" });
    expect(again.headers).toMatchObject({ "cache-control": "max-age=5", vary: "Accept, Cookie" });
  });

  test("S23: an answer that never looked at the session stays cacheable", async () => {
    const { url } = await serve((_, response) => void response.send("hello"));
    const { headers } = await fetchRaw(url);
    expect([headers["cache-control"], headers.vary]).toEqual([undefined, undefined]);
  });
});

describe("S20: upgraded connections and event streams", () => {
  test("S20: a WebSocket reads and writes the session of its handshake; a foreign page gets none", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.json(request.session);
    });
    const server = servers[0] as Server;
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", async (message, socket, head) => {
      try {
        const session = await app.sessions.open(new NodeRequest(message));
        sockets.handleUpgrade(message, socket, head, (client) => {
          client.on("message", async (text) => {
            await session.update((data) => void Object.assign(data, { said: String(text) }));
            client.send(session.ended ? "ended" : JSON.stringify(session.data));
          });
        });
      } catch (error) {
        socket.end(`HTTP/1.1 ${(error as StoreUnavailable).status} No\r\n\r\n`);
      }
    });
    const { cookie = "" } = await fetchRaw(url);
    const client = new WebSocket(url.replace("http", "ws"), { headers: { cookie }, origin: url });
    await once(client, "open");
    client.send("hello");
    expect(String((await once(client, "message"))[0])).toBe('{"here":1,"said":"hello"}');
    expect(await stored(app)).toEqual([{ here: 1, said: "hello" }]);
    await app.sessions.endAll();
    client.send("again");
    expect(String((await once(client, "message"))[0])).toBe("ended");
    expect(await stored(app)).toEqual([]);
    client.close();
    const foreign = new WebSocket(url.replace("http", "ws"), { headers: { cookie }, origin: "https://evil.example" });
    const [refused] = (await once(foreign, "error")) as [Error];
    expect(refused.message).toContain("403");
  });

  test("S20: an event stream may outlive its request's save, and saves by itself", async () => {
    const feed = new PassThrough();
    const { app, url } = await serve(async (request, response) => {
      if (!request.session.exists) {
        put(request, "here");
        return void response.end();
      }
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      for await (const event of feed) {
        put(request, "seen", String(event));
        await request.session.save();
        response.write(`data: ${event}\n\n`);
      }
      return void response.end();
    });
    const { cookie } = await fetchRaw(url);
    const response = await fetch(url, { headers: { cookie: cookie ?? "" } });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    feed.write("one");
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("data: one\n\n");
    expect(await stored(app)).toEqual([{ here: 1, seen: "one" }]);
    feed.end();
    expect((await reader.read()).done).toBe(true);
  });
});
