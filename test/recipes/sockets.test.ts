// WebSockets, socket.io and Server-Sent Events: open while the session is, and not longer.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { WebSocket as Socket, WebSocketServer } from "ws";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, load, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };

type Ws = { default: new (url: string, options: object) => Socket; WebSocketServer: typeof WebSocketServer };

test.each(readPage("websockets").frameworks)(
  "S14 S17 S20: ws in %s has the session, and is closed when it ends",
  async (framework) => {
    const project = await followRecipe({ page: "websockets", framework });
    const { default: WebSocket } = await load<Ws>(project, "ws");
    const app = await start(project);
    const browser = new Client(app.url);
    const connect = (headers: Record<string, string>) => new WebSocket(app.url.replace("http", "ws"), { headers });
    const refusal = async (headers: Record<string, string>) => {
      const [, { statusCode }] = await once(connect(headers), "unexpected-response");
      return statusCode;
    };

    expect(await refusal({})).toBe(401);
    await browser.post("/login", ada);
    expect(await refusal({ cookie: browser.cookie, origin: "https://evil.example" })).toBe(403);

    const socket = connect({ cookie: browser.cookie });
    // One that says nothing is looked at every 10 seconds. Once is enough to wait for that.
    const sockets = framework === "express" ? [socket, connect({ cookie: browser.cookie })] : [socket];
    await Promise.all(sockets.map((each) => once(each, "open")));
    const say = async (text: string) => {
      socket.send(text);
      const [message] = await once(socket, "message");
      return JSON.parse(String(message));
    };
    expect(await say("one")).toEqual({ text: "one", userid: "ada", messages: 1 });
    expect(await say("two")).toEqual({ text: "two", userid: "ada", messages: 2 });
    expect((await browser.get("/session")).json.data.messages).toBe(2);

    const large = connect({ cookie: browser.cookie });
    await once(large, "open");
    large.send("x".repeat(65_537));
    expect((await once(large, "close"))[0]).toBe(1009);

    const closed = sockets.map((each) => once(each, "close"));
    await browser.post("/logout");
    const heard: string[] = [];
    socket.on("message", (message) => heard.push(String(message)));
    socket.send("three");
    for (const [code] of await Promise.all(closed)) expect(code).toBe(4401);
    expect(heard).toEqual([]);

    // A stop doesn't wait for them.
    await browser.post("/login", ada);
    const last = connect({ cookie: browser.cookie });
    await once(last, "open");
    const [[code]] = await Promise.all([once(last, "close"), app.stop()]);
    expect([code, app.process.exitCode]).toEqual([1001, 0]);
  },
);

test("S20: a WebSocket whose client is gone without a word is given up", async () => {
  const project = await followRecipe({ page: "websockets", framework: "express" });
  const sockets = join(project, "src/sockets.ts");
  const text = readFileSync(sockets, "utf8");
  expect(text).toContain("LOOK_EVERY_MS = 10_000");
  writeFileSync(sockets, text.replace("LOOK_EVERY_MS = 10_000", "LOOK_EVERY_MS = 500"));
  const { default: WebSocket } = await load<Ws>(project, "ws");
  const app = await start(project);
  const browser = new Client(app.url);
  await browser.post("/login", ada);
  const headers = { cookie: browser.cookie };
  const silent = new WebSocket(app.url.replace("http", "ws"), { headers, autoPong: false });
  expect((await once(silent, "close"))[0]).toBe(1006);
  expect((await browser.get("/session")).json.userid).toBe("ada");
});

interface IoSocket {
  on(event: string, listener: (value: unknown) => void): void;
  emitWithAck(event: string, value: unknown): Promise<unknown>;
  disconnect(): void;
}
type IoClient = { io: (url: string, options: object) => IoSocket };

test.each(readPage("socket-io").frameworks)(
  "S14 S20: socket.io in %s has the session, and is disconnected when it ends",
  async (framework) => {
    const project = await followRecipe({ page: "socket-io", framework });
    const { io } = await load<IoClient>(project, "socket.io-client");
    const app = await start(project);
    const browser = new Client(app.url);
    const connect = (headers: Record<string, string>, options: object = {}) =>
      io(app.url, { extraHeaders: headers, reconnection: false, forceNew: true, ...options });
    const happened = (socket: IoSocket, event: string) => new Promise<unknown>((resolve) => socket.on(event, resolve));

    expect(String(await happened(connect({}), "connect_error"))).toContain("Please sign in first.");
    await browser.post("/login", ada);
    // Browsers let another site's page connect by WebSocket, but read no response of a poll.
    const foreign = { cookie: browser.cookie, origin: "https://evil.example" };
    const refused = connect(foreign, { transports: ["websocket"] });
    expect(String(await happened(refused, "connect_error"))).toContain("https://evil.example");
    const other = new Client(app.url);
    await other.post("/login", { ...ada, userid: "grace" });
    const stranger = connect({ cookie: other.cookie });
    await happened(stranger, "connect");
    const overheard = happened(stranger, "said");
    const [socket, silent] = [connect({ cookie: browser.cookie }), connect({ cookie: browser.cookie })];
    await Promise.all([happened(socket, "connect"), happened(silent, "connect")]);
    const heard = happened(silent, "said");
    await socket.emitWithAck("say", "hello");
    expect(await heard).toEqual({ text: "hello", userid: "ada" });
    // The first that another user hears is their own.
    await stranger.emitWithAck("say", "alone");
    expect(await overheard).toEqual({ text: "alone", userid: "grace" });

    const gone = [happened(socket, "disconnect"), ...(framework === "express" ? [happened(silent, "disconnect")] : [])];
    await browser.post("/logout");
    let received = false;
    socket.emitWithAck("say", "still here?").then(
      () => {
        received = true;
      },
      () => undefined,
    );
    await Promise.all(gone);
    expect(received).toBe(false);

    // A stop doesn't wait for them.
    const last = happened(stranger, "disconnect");
    const [reason] = await Promise.all([last, app.stop()]);
    expect([reason, app.process.exitCode]).toEqual(["io server disconnect", 0]);
  },
);

test.each(readPage("server-sent-events").frameworks)(
  "S14 S20: a stream of Server-Sent Events in %s has the session, and ends with it",
  async (framework) => {
    const project = await followRecipe({ page: "server-sent-events", framework });
    const app = await start(project);
    const browser = new Client(app.url);
    expect((await browser.get("/events")).status).toBe(401);
    expect((await browser.post("/events", { news: 0 })).status).toBe(401);
    await browser.post("/login", ada);
    const connect = async () => {
      const response = await fetch(`${app.url}/events`, { headers: { cookie: browser.cookie } });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      expect(response.headers.get("cache-control")).toBe("no-store");
      return response.body?.pipeThrough(new TextDecoderStream()).getReader();
    };
    const [reader, leaver] = [await connect(), await connect()];
    const other = new Client(app.url);
    await other.post("/login", { ...ada, userid: "grace" });
    const response = await fetch(`${app.url}/events`, { headers: { cookie: other.cookie } });
    const overheard = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const heard = async (what: string) => {
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        text += next.value;
        if (text.includes(what)) return;
      }
      throw new Error(`the stream has ended: ${text}`);
    };
    // One that has left keeps nobody from hearing.
    await leaver?.cancel();
    expect((await browser.post("/events", { news: 1 })).status).toBe(204);
    await heard('data: {"news":1}\n\n');
    // The first that another user hears is their own.
    await other.post("/events", { news: 2 });
    let theirs = "";
    for (let next = await overheard?.read(); next?.done === false; next = await overheard?.read()) {
      theirs += next.value;
      if (theirs.includes("data:")) break;
    }
    expect(theirs).toContain('data: {"news":2}');
    expect(theirs).not.toContain('{"news":1}');
    await overheard?.cancel();
    if (framework === "express") {
      // A silent stream's session is looked at every 10 seconds. Once is enough to wait for that.
      await browser.post("/logout");
      await heard("event: ended");
      // A proxy sees a silent stream live.
      expect(text).toMatch(/news.*\n\n:\n\nevent: ended/s);
      expect((await reader?.read())?.done).toBe(true);
    } else {
      // A stop doesn't wait for streams.
      await Promise.all([
        app.stop(),
        heard("the end").catch(({ message }: Error) => expect(message).toMatch("has ended")),
      ]);
      expect(app.process.exitCode).toBe(0);
    }
  },
);

/** Looks at the streams' sessions more or less often than the page does. */
function lookEvery(project: string, milliseconds: string): void {
  const file = join(project, "src/events.ts");
  const text = readFileSync(file, "utf8");
  expect(text).toContain("LOOK_EVERY_MS = 10_000;");
  writeFileSync(file, text.replace("10_000", milliseconds));
}

test("S14 S20: a stream outlasts a store that is down for a moment, and still ends with its session", async () => {
  const project = await followRecipe({ page: "server-sent-events", framework: "express", backend: "sqlite" });
  lookEvery(project, "100");
  const { url } = await start(project);
  const browser = new Client(url);
  await browser.post("/login", ada);
  const { body } = await fetch(`${url}/events`, { headers: { cookie: browser.cookie } });
  let text = "";
  const ended = (async () => {
    for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) text += part;
  })();
  const database = new DatabaseSync(join(project, "data/sessions.db"));
  onTestFinished(() => database.close());
  database.exec("ALTER TABLE sessions RENAME TO elsewhere");
  expect((await browser.get("/session")).status).toBe(503);
  const before = text.length;
  await expect.poll(() => text.length, { timeout: 30_000 }).toBeGreaterThan(before + 3 * ":\n\n".length);
  database.exec("ALTER TABLE elsewhere RENAME TO sessions");
  expect((await browser.post("/logout")).status).toBe(204);
  await ended;
  expect(text).toMatch(/event: ended\ndata: .*\n\n$/);
});

/** Reports on SIGUSR2 what of the streams the process still holds; queryObjects collects the garbage first. */
const PROBE = `import { PassThrough } from "node:stream";
import { queryObjects } from "node:v8";
process.on("SIGUSR2", () => {
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout");
  console.log("held:", queryObjects(PassThrough), "streams,", timers.length, "timers;");
});
`;

test.each(readPage("server-sent-events").frameworks)(
  "S20: streams of Server-Sent Events in %s leave nothing behind when their clients have gone",
  async (framework) => {
    const files = { "probe.mjs": PROBE };
    const project = await followRecipe({ page: "server-sent-events", framework, files });
    // Nothing but the first write sends the headers.
    lookEvery(project, "600_000");
    const app = await start(project, { NODE_OPTIONS: "--import=./probe.mjs" });
    const browser = new Client(app.url);
    await browser.post("/login", ada);
    const held = async () => {
      const before = app.output().length;
      app.process.kill("SIGUSR2");
      await expect.poll(() => app.output().slice(before), { timeout: 10_000 }).toContain("timers;");
      return /held: (\d+) streams, (\d+) timers/.exec(app.output().slice(before))?.slice(1).map(Number) ?? [];
    };
    const [streams = 0, timers = 0] = await held();
    const connections = await Promise.all(
      Array.from({ length: 5 }, () =>
        fetch(`${app.url}/events`, { headers: { cookie: browser.cookie }, signal: AbortSignal.timeout(60_000) }),
      ),
    );
    await expect.poll(held, { timeout: 30_000 }).toEqual([streams + 5, timers + 5]);
    for (const { body } of connections) await body?.cancel();
    await expect.poll(held, { timeout: 30_000 }).toEqual([streams, timers]);
  },
);
