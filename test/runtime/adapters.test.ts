// Every framework's adapter, over real HTTP: whatever way a handler answers, the session is saved before the client sees it.
// Add a way to adapter.ts and every framework's conformance.ts, then its test here. Express in every detail: answers.test.ts.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { packs, repository } from "../../scripts/packs.ts";
import type { AdapterFixture } from "./adapter.ts";
import { type App, open } from "./visitor.ts";

interface Reply {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  /** Whether all of it came. */
  complete: boolean;
  /** What the store held when the first byte of the answer was there. */
  stored: unknown[];
  cookie: string | undefined;
}

/** Milliseconds that a write takes, so that an answer that doesn't wait for it is found out. */
const SLOW_WRITE = 20;

const names = packs("frameworks").filter((id) =>
  existsSync(join(repository, "templates", "frameworks", id, "conformance.ts")),
);

test("every framework's adapter is held to this suite", () => {
  expect(names).toEqual(packs("frameworks"));
});

describe.each(names)("%s", (name) => {
  async function load(): Promise<AdapterFixture> {
    return (await import(`../../templates/frameworks/${name}/conformance.ts`)).default;
  }

  async function serve(
    waiting: () => Promise<void> = async () => {},
    settings: Partial<SessionSettings> = {},
  ): Promise<{ app: App; url: string }> {
    const app = await open("memory", settings);
    if (app === undefined) throw new Error("the memory store needs no server");
    for (const method of ["create", "change"] as const) {
      const original = app.driver[method].bind(app.driver) as (...args: unknown[]) => Promise<never>;
      app.driver[method] = async (...args: unknown[]) => {
        await new Promise((resume) => setTimeout(resume, SLOW_WRITE));
        return original(...args);
      };
    }
    const server = await (await load()).serve(app.sessions, waiting);
    server.listen(0, "127.0.0.1");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, "listening");
    return { app, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test.each([
    ["/text", 200, "hello"],
    ["/redirect", 303, undefined],
    ["/empty", 204, ""],
    ["/stream", 200, "hello"],
    ["/throws", 418, '{"error":"broken"}'],
    ["/raw", 200, "hello"],
  ])("S12: %s is saved before the answer, which sets the cookie once", async (path, status, body) => {
    const { app, url } = await serve();
    const reply = await ask(app, url + path);
    expect(reply).toMatchObject({ status, stored: [{ here: 1 }] });
    if (body !== undefined) expect(reply.body).toBe(body);
    if (path === "/redirect") expect(reply.headers.location).toBe("/next");
    if (path === "/throws") expect(reply.headers.etag ?? "").not.toContain("not to be");
    if (path === "/raw" && (await load()).rawIsOnItsOwn) return;
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

  test("S12: what a session is given while the answer streams is saved before it ends", async () => {
    const { app, url } = await serve();
    const { cookie } = await ask(app, `${url}/text`);
    const reply = await ask(app, `${url}/late`, { headers: { cookie } });
    expect(reply).toMatchObject({ status: 200, body: "first last", complete: true });
    expect(await app.stored()).toEqual([{ here: 1, later: 1 }]);
  });

  test("S12: a client that has gone before its answer: what the handler wrote counts", async () => {
    const entered = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const { app, url } = await serve(() => {
      entered.resolve();
      return left.promise;
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
    await entered.promise;
    socket.destroy();
    await once(socket, "close");
    left.resolve();
    await expect.poll(() => app.stored()).toEqual([{ here: 1 }]);
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

  test("S12: a handler's own error stands if saving fails as well, and what was not saved is told", async () => {
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

  test("S23, S5: an answer that has nothing to do with the session says nothing of it", async () => {
    const { app, url } = await serve();
    const reply = await ask(app, `${url}/public`);
    expect(reply).toMatchObject({ status: 200, body: "hello", cookie: undefined, stored: [] });
    const varies = (await load()).alwaysVaries === true;
    expect(reply.headers.vary).toBe(varies ? "Cookie" : undefined);
    expect(reply.headers["cache-control"]).toBe(varies ? "private" : undefined);
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

async function ask(
  app: App,
  url: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string | undefined> } = {},
): Promise<Reply> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const sent = request(url, { method, headers: given as Record<string, string>, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const there = await app.stored();
  let body = "";
  response.setEncoding("utf8").on("data", (text) => {
    body += text;
  });
  await once(response, "close");
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    complete: response.complete,
    stored: there,
    cookie: response.headers["set-cookie"]?.join().split(";")[0],
  };
}
