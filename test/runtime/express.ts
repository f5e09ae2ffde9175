// An Express app over real HTTP, for tests of the ways in which it can respond.
// Change it when more of them need the same.
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

import type express from "express";
import type { ErrorRequestHandler, Request, RequestHandler } from "express";

import { afterEach } from "vitest";
import { sessionMiddleware } from "../../templates/frameworks/express/files/src/session/adapter.ts";
import { dataOf, open } from "./visitor.ts";

/** Express as the pack has it, which need not be the one that some tool has brought. */
const pack = createRequire(new URL("../../templates/frameworks/express/package.json", import.meta.url));
export const app5 = pack("express") as typeof express;

export const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

export interface Reply {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  cookie: string | undefined;
}

const errors: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  return response.status(error.status ?? 500).json({ error: error.message });
};

/** An app whose writes take a moment, so that a response that doesn't wait for them is found out. */
export async function serve(
  handle: RequestHandler,
  { before = [] as RequestHandler[], after = [] as RequestHandler[] } = {},
) {
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

export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function fetchRaw(url: string, method = "GET", headers: Record<string, string> = {}): Promise<Reply> {
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

export function put(request: Request, key: string, value: unknown = 1): void {
  dataOf(request.session)[key] = value;
}
