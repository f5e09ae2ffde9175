// Compression beside sessions, in both orders, with responses that are flushed: Express and node:http.
// Add a middleware that wraps the response as compression does.
import { once } from "node:events";
import { get, type IncomingMessage, type RequestListener } from "node:http";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import compression from "compression";
import type { RequestHandler, Response } from "express";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { errorHandler } from "../../templates/frameworks/express/files/src/http/error-handler.ts";
import { sessionMiddleware } from "../../templates/frameworks/express/files/src/session/adapter.ts";
import { respondToError } from "../../templates/frameworks/node/files/src/http/error-handler.ts";
import { withSessions } from "../../templates/frameworks/node/files/src/session/adapter.ts";
import { write } from "./adapter.ts";
import { app5, listen } from "./express.ts";
import { memoryApp } from "./memory.ts";
import type { App } from "./visitor.ts";

type Respond = (response: Response) => void | Promise<void>;

const compress = compression({ threshold: 0 });

const orders: [string, (app: App, respond: Respond) => RequestListener][] = [
  [
    "Express, compression first",
    (app, respond) => app5().use(compress, sessionMiddleware(app.sessions), handler(respond), errorHandler),
  ],
  [
    "Express, sessions first",
    (app, respond) => app5().use(sessionMiddleware(app.sessions), compress, handler(respond), errorHandler),
  ],
  [
    "node:http, sessions first",
    (app, respond) =>
      withSessions(
        app.sessions,
        ({ request, response, session }) => {
          compress(request as never, response as never, () => {
            write(session);
            void respond(response as never);
          });
        },
        respondToError,
      ),
  ],
  [
    "node:http, compression first",
    (app, respond) => {
      const inner = withSessions(
        app.sessions,
        ({ response, session }) => {
          write(session);
          return respond(response as never);
        },
        respondToError,
      );
      return (request, response) => compress(request as never, response as never, () => inner(request, response));
    },
  ],
];

/** As middleware does that wraps the response without a thought for streams that are told to wait. */
const silent: RequestHandler = (_, response, next) => {
  const { write } = response;
  response.write = ((...args: unknown[]) => void Reflect.apply(write, response, args)) as never;
  next();
};

test.each<[string, RequestHandler[]]>([
  ["by itself", [silent]],
  ["with compression", [compress, silent]],
])("S12: a pipe goes on behind middleware whose write returns nothing, %s", async (_, first) => {
  const app = await memoryApp();
  const send = handler((response) => void Readable.from(["hello ", "world"]).pipe(response));
  const url = await listen(app5().use(first, sessionMiddleware(app.sessions), send, errorHandler));
  expect(await (await fetch(url)).text()).toBe("hello world");
});

function handler(respond: Respond): RequestHandler {
  return (request, response) => {
    write(request.session);
    return respond(response);
  };
}

async function serve(listener: (app: App, respond: Respond) => RequestListener, respond: Respond) {
  const app = await memoryApp();
  const { create } = app.driver;
  app.driver.create = async (row) => {
    await new Promise((resume) => setTimeout(resume, 20));
    await create.call(app.driver, row);
  };
  return { app, url: await listen(listener(app, respond)) };
}

async function open(url: string): Promise<IncomingMessage> {
  const [response] = await once(get(url, { headers: { "accept-encoding": "gzip" } }), "response");
  return response as IncomingMessage;
}

describe.each(orders)("%s", (_, listener) => {
  test.each([
    ["flushHeaders, write", (response: Response) => void response.flushHeaders()],
    ["write", () => {}],
    ["writeHead, write", (response: Response) => void response.writeHead(200, { "content-type": "text/plain" })],
    [
      "flushHeaders twice, write",
      (response: Response) => {
        response.flushHeaders();
        response.flushHeaders();
      },
    ],
  ])("S12: %s, end is valid gzip", async (_, begin) => {
    const { app, url } = await serve(listener, (response) => {
      response.setHeader("content-type", "text/plain");
      begin(response);
      response.write("hello ".repeat(100));
      response.end("world");
    });
    const response = await fetch(url, { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toBe(`${"hello ".repeat(100)}world`);
    expect(await app.stored()).toEqual([{ here: 1 }]);
  });

  test.each([
    ["end", (response: Response) => void response.end("hello ".repeat(100))],
    [
      "write and end",
      (response: Response) => {
        response.write("hello ".repeat(100));
        response.end("world");
      },
    ],
    ["a pipe", (response: Response) => void Readable.from(["hello ", "world"]).pipe(response)],
  ])("S12: when saving fails, the client gets the error instead of a response by %s", async (_, respond) => {
    const { app, url } = await serve(listener, (response) => {
      response.setHeader("content-type", "text/plain");
      respond(response);
    });
    app.driver.create = () => Promise.reject(new StoreUnavailable("gone"));
    const response = await fetch(url, { headers: { "accept-encoding": "gzip" } });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });

  const large = "0123456789abcdef".repeat(64 * 1024);
  const parts = () => Array.from({ length: 16 }, (_, part) => large.slice(part * 65_536, (part + 1) * 65_536));

  test.each<[string, string, (response: Response) => void]>([
    ["a small pipe", "hello world", (response) => void Readable.from(["hello ", "world"]).pipe(response)],
    ["a pipe of 1 MB", large, (response) => void Readable.from(parts()).pipe(response)],
    ["a pipeline of 1 MB", large, (response) => pipeline(Readable.from(parts()), response, () => {})],
    [
      "a handler that listened for drain beforehand",
      large,
      (response) => {
        const left = parts();
        const writeMore = () => {
          while (left.length > 0) if (!response.write(left.shift())) return;
          response.end();
        };
        response.on("drain", writeMore);
        writeMore();
      },
    ],
    [
      "a handler that waits for drain each time",
      large,
      async (response) => {
        for (const part of parts()) if (!response.write(part)) await once(response, "drain");
        response.end();
      },
    ],
  ])("S12: what is written by %s arrives whole, compressed or not", async (_, text, respond) => {
    for (const encoding of ["gzip", "identity"]) {
      const { app, url } = await serve(listener, (response) => {
        response.setHeader("content-type", "text/plain");
        respond(response);
      });
      const response = await fetch(url, { headers: { "accept-encoding": encoding } });
      expect(response.headers.get("content-encoding") ?? "identity").toBe(encoding);
      expect((await response.text()) === text).toBe(true);
      expect(await app.stored()).toEqual([{ here: 1 }]);
    }
  });

  test("S12: an event that is written and flushed is sent as soon as the save is done", async () => {
    const end = Promise.withResolvers<void>();
    const { app, url } = await serve(listener, async (response) => {
      response.setHeader("content-type", "text/event-stream");
      response.write("data: one\n\n");
      response.flush();
      await end.promise;
      response.end("data: two\n\n");
    });
    const gunzip = (await open(url)).pipe(createGunzip());
    expect(String((await once(gunzip, "data"))[0])).toBe("data: one\n\n");
    expect(await app.stored()).toEqual([{ here: 1 }]);
    end.resolve();
    expect(String((await once(gunzip, "data"))[0])).toBe("data: two\n\n");
  });
});
