// WebSockets and event streams beside an Express app.
// Add a library that keeps connections open.
import { once } from "node:events";
import type { Server } from "node:http";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { NodeRequest } from "../../runtime/src/session/request.ts";
import { fetchRaw, put, serve, servers } from "./express.ts";

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
    expect(await app.stored()).toEqual([{ here: 1, said: "hello" }]);
    await app.sessions.endAll();
    client.send("again");
    expect(String((await once(client, "message"))[0])).toBe("ended");
    expect(await app.stored()).toEqual([]);
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
    expect(await app.stored()).toEqual([{ here: 1, seen: "one" }]);
    feed.end();
    expect((await reader.read()).done).toBe(true);
  });
});
