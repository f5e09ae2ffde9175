// Every framework's adapter, over real HTTP: however a handler responds, the session is saved before the client sees it.
// Add a way to adapter.ts and every framework's conformance.ts, then its test here. Express in every detail: express-responses.test.ts.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { packs } from "../../scripts/packs.ts";
import { type Handle, write } from "./adapter.ts";
import { ask, frameworks, serveFixture } from "./served.ts";

test("every framework's adapter is held to this suite", () => {
  expect(frameworks).toEqual(packs("frameworks"));
});

describe.each(frameworks)("%s", (name) => {
  const serve = (handle?: Handle, settings?: Partial<SessionSettings>) => serveFixture(name, handle, settings);

  test.each([
    ["/text", 200, "hello"],
    ["/redirect", 303, undefined],
    ["/empty", 204, ""],
    ["/stream", 200, "hello"],
    ["/throws", 418, '{"error":"broken"}'],
    ["/raw", 200, "hello"],
    ["/raw-stream", 200, "hello"],
  ])("S12: %s is saved before the response, which sets the cookie once", async (path, status, body) => {
    const { app, url } = await serve();
    const reply = await ask(app, url + path);
    expect(reply).toMatchObject({ status, stored: [{ here: 1 }] });
    if (body !== undefined) expect(reply.body).toBe(body);
    if (path === "/redirect") expect(reply.headers.location).toBe("/next");
    if (path === "/throws") expect(reply.headers.etag ?? "").not.toContain("not to be");
    expect(reply.cookie).toMatch(/^session=[\w-]{64}$/);
    expect(reply.headers).toMatchObject({ "cache-control": "no-store", vary: expect.stringMatching(/cookie/i) });

    const next = await ask(app, url + path, { headers: { cookie: reply.cookie } });
    expect(next).toMatchObject({ status, cookie: undefined, stored: [{ here: 1 }] });
    expect(next.headers["cache-control"]).toMatch(/^(private|no-store)$/);
  });

  test("S12: HEAD saves as GET does", async () => {
    const { app, url } = await serve();
    const reply = await ask(app, `${url}/text`, { method: "HEAD" });
    expect(reply).toMatchObject({ status: 200, body: "", cookie: expect.any(String), stored: [{ here: 1 }] });
    expect(reply.headers["content-type"]).toMatch(/^text\/plain/);
  });

  test("S12, S23: a request for an upgrade that the app doesn't offer is like any other", async () => {
    const { app, url } = await serve();
    const reply = await ask(app, `${url}/text`, { headers: { connection: "upgrade", upgrade: "websocket" } });
    expect(reply).toMatchObject({ status: 200, cookie: expect.any(String), stored: [{ here: 1 }] });
    expect(reply.headers["cache-control"]).toBe("no-store");
  });

  test("S12: what a session is given while the response streams is saved before it ends", async () => {
    const { app, url } = await serve();
    const { cookie } = await ask(app, `${url}/text`);
    const reply = await ask(app, `${url}/late`, { headers: { cookie } });
    expect(reply).toMatchObject({ status: 200, body: "first last", complete: true });
    expect(await app.stored()).toEqual([{ here: 1, later: 1 }]);
  });

  test("S23: a stream that reads its session when the headers have been sent is private", async () => {
    const { app, url } = await serve();
    const { cookie } = await ask(app, `${url}/text`);
    const { headers } = await ask(app, `${url}/late`, { headers: { cookie } });
    expect(headers).toMatchObject({ "cache-control": "private", vary: expect.stringMatching(/cookie/i) });
  });

  test("S12: a client that has gone before its response: what the handler wrote counts", async () => {
    const entered = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const { app, url } = await serve(async (session) => {
      write(session);
      entered.resolve();
      await left.promise;
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /handle HTTP/1.1\r\nHost: a\r\n\r\n");
    await entered.promise;
    socket.destroy();
    await once(socket, "close");
    left.resolve();
    await expect.poll(() => app.stored()).toEqual([{ here: 1 }]);
    // It didn't come too late for the headers: there was nobody to send them to.
    expect(app.events.filter(({ type }) => type === "warning")).toEqual([]);
  });

  test.each(["/text", "/redirect", "/empty", "/stream"])(
    "S12, F1: if %s can't be saved the client gets 503, and nothing of the success",
    async (path) => {
      const { app, url } = await serve();
      app.driver.create = async () => {
        throw new StoreUnavailable("down");
      };
      const reply = await ask(app, url + path);
      expect(reply).toMatchObject({ status: 503, cookie: undefined, stored: [], complete: true });
      expect(reply.headers.location).toBeUndefined();
      expect(JSON.parse(reply.body)).toEqual({ error: expect.any(String) });
    },
  );

  test.each(["/raw", "/raw-stream"])("S12, F1: if %s can't be saved, 503 is all that is sent", async (path) => {
    const { app, url } = await serve();
    app.driver.create = async () => {
      throw new StoreUnavailable("down");
    };
    const complaints = vi.spyOn(console, "error");
    onTestFinished(() => complaints.mockRestore());
    const reply = await ask(app, url + path);
    expect(reply).toMatchObject({ status: 503, cookie: undefined, stored: [], complete: true });
    expect(reply.body).not.toContain("hello");
    // Node and frameworks complain of what comes after a response.
    expect(complaints).not.toHaveBeenCalled();
  });

  test("S12: a handler's own error stands if saving fails as well, and what was not saved is reported", async () => {
    const { app, url } = await serve();
    app.driver.create = async () => {
      throw new StoreUnavailable("down");
    };
    expect(await ask(app, `${url}/throws`)).toMatchObject({
      status: 418,
      cookie: undefined,
      stored: [],
      complete: true,
    });
    expect(app.events).toContainEqual({ type: "warning", message: "A session was not saved: down" });
  });

  test("S18: a session that is too large is 413, and the stored data stays", async () => {
    const { app, url } = await serve();
    const { cookie } = await ask(app, `${url}/text`);
    const reply = await ask(app, `${url}/large`, { headers: { cookie } });
    expect(reply).toMatchObject({ status: 413, complete: true, stored: [{ here: 1 }] });
    expect(reply.headers.location).toBeUndefined();
  });

  test("S17, F1: requests that are refused before the handler get 403 and 503", async () => {
    const { app, url } = await serve();
    const { cookie } = await ask(app, `${url}/text`);
    const headers = { cookie, "sec-fetch-site": "cross-site" };
    expect(await ask(app, `${url}/text`, { method: "POST", headers })).toMatchObject({ status: 403 });
    app.driver.read = async () => {
      throw new StoreUnavailable("down");
    };
    expect(await ask(app, `${url}/text`, { headers: { cookie } })).toMatchObject({ status: 503, complete: true });
  });

  test("S23, S5: a response that has nothing to do with the session says nothing of it", async () => {
    const { app, url } = await serve();
    const reply = await ask(app, `${url}/public`);
    expect(reply).toMatchObject({ status: 200, body: "hello", cookie: undefined, stored: [] });
    expect(reply.headers.vary).toBeUndefined();
    expect(reply.headers["cache-control"]).toBeUndefined();
  });

  test("S5: a path to skip stores nothing, and depends on no session, even where a handler takes it", async () => {
    const { app, url } = await serve(undefined, { skip: ["/text"] });
    const reply = await ask(app, `${url}/text`);
    expect(reply).toMatchObject({ status: 200, body: "hello", cookie: undefined, stored: [] });
    expect(reply.headers.vary).toBeUndefined();
  });

  test("S12: requests one after the other on one connection, errors among them", async () => {
    const { url } = await serve();
    const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (piece) => {
      text += piece;
    });
    const paths = ["/text", "/throws", "/large", "/empty", "/stream"];
    socket.write(paths.map((path) => get(path)).join("") + get("/text", "Connection: close\r\n"));
    await once(socket, "close");
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).toEqual(["200", "418", "413", "204", "200", "200"]);
  });
});
