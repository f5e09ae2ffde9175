// A framework's fixture, served over real HTTP on the memory store.
// Change it when the suites of adapters need to see more of a response.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { packs, repository } from "../../scripts/packs.ts";
import type { AdapterFixture, Handle, Others } from "./adapter.ts";
import { memoryApp } from "./memory.ts";
import type { App } from "./visitor.ts";

export const frameworks = packs("frameworks").filter((id) =>
  existsSync(join(repository, "templates", "frameworks", id, "conformance.ts")),
);

export interface Reply {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
  /** Whether all of it came. */
  complete: boolean;
  /** What the store held when the first byte of the response was there. */
  stored: unknown[];
  cookie: string | undefined;
}

/** Milliseconds that a write takes, so that a response that doesn't wait for it is found out. */
const SLOW_WRITE = 20;

/** The result of `handle` at /handle or /nested. */
export function resultOf(reply: Reply): unknown {
  return (JSON.parse(reply.body) as { result: unknown }).result;
}

export async function fixtureOf(framework: string): Promise<AdapterFixture> {
  return (await import(`../../templates/frameworks/${framework}/conformance.ts`)).default;
}

export async function serveFixture(
  framework: string,
  handle: Handle = () => {},
  settings: Partial<SessionSettings> = {},
  others: Others = {},
): Promise<{ app: App; url: string }> {
  const app = await memoryApp(settings);
  for (const method of ["create", "change"] as const) {
    const original = app.driver[method].bind(app.driver) as (...args: unknown[]) => Promise<never>;
    app.driver[method] = async (...args: unknown[]) => {
      await new Promise((resume) => setTimeout(resume, SLOW_WRITE));
      return original(...args);
    };
  }
  const fixture = await fixtureOf(framework);
  return { app, url: await serve(await fixture.serve(app.sessions, handle, others)) };
}

/** Resolves to the server's URL. The server ends with the test. */
export async function serve(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Ask {
  method?: string;
  /** Those that are undefined are left out. */
  headers?: Record<string, string | undefined>;
}

export async function ask(app: App, url: string, { method = "GET", headers = {} }: Ask = {}): Promise<Reply> {
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
