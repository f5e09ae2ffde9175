// Sessions for Hono: `c.var.session` in every handler behind sessionMiddleware, on Node.js and in `app.request()`.
// Change what a request looks like to the runtime here; what sessions do is in sessions.ts and session.ts.
import type { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import type { ResponseHeaders } from "./cookie.ts";
import type { SessionRequest } from "./request.ts";
import { holdResponse, OF_THE_ANSWER } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

/** For `new Hono<SessionEnv>()`. There are no bindings where a test calls `app.request()`. */
export interface SessionEnv {
  Bindings: Partial<HttpBindings>;
  /** Always there behind sessionMiddleware; nothing is stored until it is written to. */
  Variables: { session: Session };
}

type SessionContext = Context<SessionEnv>;

/**
 * Finds the session of every request and saves it before the answer leaves. Errors (403, 413, 503) go to app.onError.
 * What a handler writes to `c.env.outgoing` by itself leaves before that: call `await session.save()` first.
 */
export function sessionMiddleware(sessions: Sessions): MiddlewareHandler<SessionEnv> {
  return async (c, next) => {
    const visit = await sessions.begin(new HonoSessionRequest(c));
    // Hono can't tell who reads a variable: every answer here counts as depending on the session.
    c.set("session", visit.session);
    try {
      await next();
    } finally {
      await finish(c, visit);
    }
  };
}

async function finish(c: SessionContext, visit: Visit): Promise<void> {
  try {
    await visit.finish();
  } catch (error) {
    // An error's answer doesn't say that anything was saved: it stands.
    if (c.res.status < 400) {
      // The handler's answer says that all went well, and it has not: app.onError's must not inherit from it.
      const headers = new ContextHeaders(c);
      for (const name of OF_THE_ANSWER) headers.delete(name);
      throw error;
    }
    visit.tellUnsaved(error as Error);
  }
  visit.writeHeaders(new ContextHeaders(c));
  const { outgoing } = c.env ?? {};
  // What is written to the session while a stream flows is saved before it ends.
  if (outgoing !== undefined && c.var.session.exists) {
    holdResponse(outgoing, visit, (error) => outgoing.destroy(error as Error));
  }
}

/** Of an app with more variables too. */
export class HonoSessionRequest implements SessionRequest {
  readonly #c: Pick<SessionContext, "req" | "env">;
  constructor(c: Pick<SessionContext, "req" | "env">) {
    this.#c = c;
  }
  get method(): string {
    return this.#c.req.method;
  }
  get url(): string {
    return this.#c.req.path;
  }
  header(name: string): string | undefined {
    return this.#c.req.header(name);
  }
  get remoteAddress(): string | undefined {
    return this.#c.env?.incoming?.socket.remoteAddress;
  }
  /** The scheme in `c.req.url` may be what the client has claimed. */
  get encrypted(): boolean {
    return (this.#c.env?.incoming?.socket as Partial<TLSSocket> | undefined)?.encrypted === true;
  }
}

class ContextHeaders implements ResponseHeaders {
  readonly #c: SessionContext;
  constructor(c: SessionContext) {
    this.#c = c;
  }
  get(name: string): string | undefined {
    return this.#c.res.headers.get(name) ?? undefined;
  }
  set(name: string, value: string): void {
    this.#change((headers) => headers.set(name, value));
  }
  delete(name: string): void {
    this.#change((headers) => headers.delete(name));
  }
  appendCookie(value: string): void {
    this.#change((headers) => headers.append("set-cookie", value));
  }
  /** The headers of an answer from elsewhere (`return fetch(…)`) can't be changed; those of a copy can. */
  #change(change: (headers: Headers) => void): void {
    try {
      change(this.#c.res.headers);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#c.res = new Response(this.#c.res.body, this.#c.res);
      change(this.#c.res.headers);
    }
  }
}
