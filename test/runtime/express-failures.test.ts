// What an Express app responds when saving fails, or its handler does.
// Add a failure that turns up.
import type { IncomingMessage } from "node:http";
import type { Response } from "express";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { NodeRequest } from "../../runtime/src/session/request.ts";
import { fetchRaw, put, serve } from "./express.ts";

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

  test("S12, F1: trailers of the success don't keep the error from being sent", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.set("Trailer", "x-sum").write("hello");
      response.addTrailers({ "x-sum": "5" });
      response.end();
    });
    app.driver.create = async () => {
      throw new StoreUnavailable("down");
    };
    expect(await fetchRaw(url)).toMatchObject({ status: 503, body: '{"error":"down"}' });
  });

  test("S12: a response that was sent before an error is judged by itself", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "large", "x".repeat(70_000));
      response.json({ saved: true });
      throw new Error("too late");
    });
    expect(await fetchRaw(url)).toMatchObject({ status: 413, cookie: undefined });
    expect(await app.stored()).toEqual([]);
  });

  test("S12: an error after a part of the response cuts it off, as without sessions", async () => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      response.write("part");
      throw new Error("broken");
    });
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    await expect.poll(() => app.stored()).toEqual([{ here: 1 }]);
  });

  test.each([
    ["header", (response: Response) => response.writeHead(200, { "x-a": "\u2603" })],
    ["header without a value", (response: Response) => response.writeHead(200, { "x-a": undefined })],
    ["status", (response: Response) => response.writeHead(99)],
  ])("S12: a %s that Node refuses after the save is the app's error, with the session's cookie", async (_, send) => {
    const { app, url } = await serve((request, response) => {
      put(request, "here");
      send(response).end("hello");
    });
    const reply = await fetchRaw(url);
    expect(reply).toMatchObject({ status: 500, body: expect.stringContaining("nvalid"), cookie: expect.any(String) });
    expect(await app.stored()).toEqual([{ here: 1 }]);
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

  test("S4: a new token after the headers have been sent is reported, since the client can't learn it", async () => {
    const { app, url } = await serve(async (request, response) => {
      response.flushHeaders();
      await request.session.signIn("ann");
      response.end();
    });
    await fetchRaw(url);
    expect(app.events).toContainEqual({ type: "warning", message: expect.stringContaining("can't learn it") });
  });

  test("S12: a handler's own error stands if saving fails as well, and what was not saved is reported", async () => {
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

  test("S12: if saving fails while the response streams, the response is cut off, not finished", async () => {
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
