// Recipes about what stands before the app: nginx and Caddy, which end TLS, at the root and below a path.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import type { WebSocket as Socket } from "ws";
import { signIn } from "../browser/visit.ts";
import { program } from "../servers/machine.ts";
import { device, hasChromium } from "./chromium.ts";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, load, start } from "./project.ts";
import { startProxy } from "./proxies.ts";

const ada = { userid: "ada", password: "demo" };
/** Long enough for a machine that does much else. */
const POLL = { timeout: 10_000 };

/** In CI a missing program is a failure, when the test starts it. */
function isMissing(name: string): boolean {
  try {
    program(name, "");
    return false;
  } catch {
    return process.env.CI !== "true";
  }
}

/** What the app sees of a client with another address of this machine, which claims to have the one that the session began with. */
async function sessionOf(url: string, cookie: string): Promise<{ ipaddress: string }> {
  const headers = { cookie, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": "evil" };
  const [response] = await once(get(url, { headers, localAddress: "127.0.0.2" }), "response");
  return (await json(response)) as { ipaddress: string };
}

describe.each([{ page: "nginx" }, { page: "caddy" }] as const)("$page", ({ page: kind }) => {
  describe.skipIf(isMissing(kind))("as its recipe sets it up", () => {
    test.each(readPage(kind).frameworks)(
      "S4 S16 S17: before %s the cookie is Secure, the address the client's, and other sites are refused",
      async (framework) => {
        const project = await followRecipe({ page: kind, framework });
        const app = await start(project, { SESSION_IP_ADDRESS_LOCK: "true" });
        const proxy = await startProxy(kind, project, Number(new URL(app.url).port));
        const browser = new Client(proxy.url);
        const { origin } = new URL(proxy.url);
        // Browsers send Origin with its port. Older ones send no Sec-Fetch-Site, so that the hosts are compared.
        const begun = await browser.post("/login", ada, { origin });
        expect(begun.status).toBe(200);
        expect(begun.headers.get("set-cookie")).toMatch(/^__Host-session=.*; Secure/);
        const evil = { origin: "https://evil.example" };
        expect((await browser.post("/logout", {}, evil)).status).toBe(403);
        const claim = { ...evil, "x-forwarded-host": "evil.example" };
        expect((await browser.post("/logout", {}, claim)).status).toBe(403);
        expect((await browser.post("/logout", {}, { origin: "http://localhost" })).status).toBe(403);
        expect((await browser.get("/session")).json.ipaddress).toBe("127.0.0.1");
        expect((await browser.get("/sessions")).json).toHaveLength(1);
        // What the client claims doesn't count: another address ends the session.
        expect(await sessionOf(`${proxy.url}/session`, browser.cookie)).toHaveProperty("error");
        expect((await browser.get("/session")).status).toBe(404);
        await browser.get("/visits");
        expect(app.output()).not.toContain('"event":"session.warning"');
      },
    );

    test.skipIf(!hasChromium)("S4 S20: forms, WebSockets and streams of events in a real browser", async () => {
      const project = await followRecipe({
        page: kind,
        framework: "express",
        with: ["websockets", "server-sent-events"],
      });
      const app = await start(project);
      const { url } = await startProxy(kind, project, Number(new URL(app.url).port));
      // The example's page allows no scripts; the app's own would.
      const { page, context } = await device(url, { bypassCSP: true });
      await page.goto("/");
      await signIn(page, "ada");
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, ada");
      expect(page.url()).toBe(`${url}/`);
      const [cookie] = await context.cookies();
      expect(cookie).toMatchObject({
        name: "__Host-session",
        secure: true,
        httpOnly: true,
        path: "/",
        sameSite: "Lax",
      });

      const socketAnswer = await page.evaluate(async () => {
        const socket = new WebSocket(location.href.replace("https", "wss"));
        return new Promise((resolve, reject) => {
          socket.onopen = () => socket.send("hello");
          socket.onmessage = ({ data }) => resolve(JSON.parse(data));
          socket.onerror = () => reject(new Error("the socket failed"));
        });
      });
      expect(socketAnswer).toEqual({ text: "hello", userid: "ada", messages: 1 });

      // The stream stays open, so that what is in a buffer would never come.
      const event = await page.evaluate(async () => {
        const source = new EventSource("/events");
        const heard = new Promise((resolve) => {
          source.onmessage = ({ data }) => resolve(JSON.parse(data));
        });
        await new Promise((resolve) => {
          source.onopen = resolve;
        });
        const headers = { "content-type": "application/json" };
        await fetch("/events", { method: "POST", headers, body: '{"news":1}' });
        return heard;
      });
      expect(event).toEqual({ news: 1 });
    });

    test("S20: each event of a stream is passed on at once", async () => {
      const app = createServer();
      app.listen(0, "127.0.0.1");
      await once(app, "listening");
      onTestFinished(() => void app.close().closeAllConnections());
      const project = await followRecipe({ page: kind, framework: "express" });
      const { url } = await startProxy(kind, project, (app.address() as AddressInfo).port);
      const [request, [, stream]] = [get(`${url}/events`), (await once(app, "request")) as [unknown, ServerResponse]];
      // Before the proxy is stopped, which would wait for it.
      onTestFinished(() => void request.destroy());
      const responded = once(request, "response");
      stream.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      const [received] = (await responded) as [IncomingMessage];
      let seen = 0;
      received.on("data", (piece: Buffer) => {
        seen += piece.length;
      });
      let sent = 0;
      // More than a page of memory, and less: the next event is sent when the last has come.
      for (const size of [10, 100, 5_000, 1, 70_000, 10]) {
        stream.write("x".repeat(size));
        sent += size;
        await expect.poll(() => seen, POLL).toBe(sent);
      }
    });

    test("S4 S16 S17 S20: below a path the app sees host, address and WebSockets, whatever a client claims", async () => {
      const project = await followRecipe({ page: "below-a-path", framework: "express", with: ["websockets"] });
      const app = await start(project, { SESSION_IP_ADDRESS_LOCK: "true" });
      const { url } = await startProxy(kind, project, Number(new URL(app.url).port));
      const browser = new Client(url);
      // Without Sec-Fetch-Site, the hosts are compared.
      const begun = await browser.post("/shop/login", ada, { origin: url });
      expect(begun.status).toBe(200);
      expect(begun.headers.get("set-cookie")).toMatch(/^__Secure-session=.*; Path=\/shop\/;.*; Secure/);
      const claim = { origin: "https://evil.example", "x-forwarded-host": "evil.example" };
      expect((await browser.post("/shop/logout", {}, claim)).status).toBe(403);

      const { default: WebSocket } = await load<{ default: typeof Socket }>(project, "ws");
      const socket = new WebSocket(`${url.replace("https", "wss")}/shop/`, {
        headers: { cookie: browser.cookie, origin: url },
      });
      onTestFinished(() => socket.terminate());
      await once(socket, "open");
      socket.send("hello");
      const [message] = await once(socket, "message");
      expect(JSON.parse(String(message))).toEqual({ text: "hello", userid: "ada", messages: 1 });

      expect(await sessionOf(`${url}/shop/session`, browser.cookie)).toHaveProperty("error");
      expect((await browser.get("/shop/session")).status).toBe(404);
    });

    test.skipIf(!hasChromium)(
      "S4 S17: below a path the page, its forms and redirects work, and the cookie stays there",
      async () => {
        const project = await followRecipe({ page: "below-a-path", framework: "express", with: ["websockets"] });
        const app = await start(project);
        const { url } = await startProxy(kind, project, Number(new URL(app.url).port));
        const { page, context, complaints } = await device(url);
        await page.goto("/shop");
        expect(page.url()).toBe(`${url}/shop/`);
        await page.getByRole("button", { name: "Start a session" }).click();
        expect(page.url()).toBe(`${url}/shop/`);
        expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, guest");
        await signIn(page, "ada");
        await page.getByLabel("Article").fill("teapot");
        await page.getByRole("button", { name: "Put in" }).click();
        await page.getByRole("button", { name: "Dark" }).click();
        // A click doesn't wait for the page that it leads to.
        await expect.poll(() => page.locator("html").getAttribute("data-theme"), POLL).toBe("dark");
        expect(page.url()).toBe(`${url}/shop/`);
        expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, ada");
        const [cookie] = await context.cookies(`${url}/shop/`);
        expect(cookie).toMatchObject({ name: "__Secure-session", secure: true, path: "/shop/" });
        expect(await context.cookies(`${url}/other/`)).toEqual([]);
        // Before the JSON, for which the browser asks for the site's own /favicon.ico, which isn't there.
        expect(complaints).toEqual([]);
        await page.getByRole("link", { name: "Yours as JSON" }).click();
        await page.waitForURL(`${url}/shop/session`);

        const missing = await page.goto("/shop/nothing/here");
        expect(missing?.status()).toBe(404);
        expect(await page.evaluate(() => [...document.styleSheets].map(({ href }) => href))).toEqual([
          `${url}/shop/style.css`,
        ]);
        await page.getByRole("link", { name: "Back to the start" }).click();
        await page.waitForURL(`${url}/shop/`);
        await page.getByRole("button", { name: "Sign out" }).click();
        await expect.poll(() => context.cookies(), POLL).toEqual([]);
        expect(page.url()).toBe(`${url}/shop/`);
      },
    );
  });
});

/** What a server behind nginx sees of a request. */
interface Seen {
  version: string;
  /** The same for all requests on one connection. */
  port: number;
  host: string;
  /** The header. */
  connection?: string;
}

describe.skipIf(isMissing("nginx"))("nginx", () => {
  test.each([
    { page: "nginx", path: "/", keepsConnections: true },
    { page: "below-a-path", path: "/shop/", keepsConnections: false },
  ])(
    "S17: by the page $page it passes on the host that was asked for, by HTTP/1.1, from browsers with HTTP/2",
    async (recipe) => {
      const { page, path, keepsConnections } = recipe;
      let closed = 0;
      const app = createServer(({ httpVersion: version, socket, headers: { host, connection } }, response) => {
        response.end(JSON.stringify({ version, port: socket.remotePort, host, connection }));
      });
      app.on("connection", (socket) => socket.on("close", () => (closed += 1)));
      // It closes none, so that nginx does.
      app.keepAliveTimeout = 0;
      app.listen(0, "127.0.0.1");
      await once(app, "listening");
      onTestFinished(() => void app.close().closeAllConnections());
      const project = await followRecipe({ page, framework: "express" });
      const { url } = await startProxy("nginx", project, (app.address() as AddressInfo).port);
      const ask = async (): Promise<Seen> => (await new Client(url).get(path)).json;
      const [first, second] = [await ask(), await ask()];
      expect(first).toMatchObject({ version: "1.1", host: new URL(url).host });
      // Only a WebSocket's handshake is to be upgraded.
      expect(first.connection).not.toBe("upgrade");
      expect(first.port === second.port).toBe(keepsConnections);
      const browser = connectHttp2(url);
      await once(browser, "connect");
      expect(browser.alpnProtocol).toBe("h2");
      browser.destroy();
      // Before Node would, which is after 5 seconds.
      if (keepsConnections) await expect.poll(() => closed, { timeout: 30_000 }).toBe(1);
    },
  );
});

test.skipIf(isMissing("nginx"))("nginx sends plain HTTP to HTTPS", async () => {
  const project = await followRecipe({ page: "nginx", framework: "express" });
  const app = await start(project);
  const { plainPort } = await startProxy("nginx", project, Number(new URL(app.url).port));
  const { status, headers } = await new Client(`http://localhost:${plainPort}`).get("/cart?a=1");
  expect([status, headers.get("location")]).toEqual([301, "https://localhost/cart?a=1"]);
});
