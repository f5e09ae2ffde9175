// Sessions for Hono: `c.var.session` in every handler behind sessionMiddleware, on Node.js and in `app.request()`.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import { STATUS_CODES } from "node:http";
import type { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { headerOf, type SessionRequest } from "./request.ts";
import { responseHolder } from "./response.ts";
import type { ResponseHeaders } from "./response-headers.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** For `new Hono<SessionEnv>()`. There are no bindings where a test calls `app.request()`. */
export interface SessionEnv {
  Bindings: Partial<HttpBindings>;
  /** Always there behind sessionMiddleware. Nothing is stored until it is written to. */
  Variables: { session: Session };
}

type SessionContext = Context<SessionEnv>;

/** The header by which RESPONSE_ALREADY_SENT of @hono/node-server, and copies of it, can be told from other responses. */
const ALREADY_SENT = "x-hono-already-sent";

/**
 * Finds the session of every request and saves it before the response is sent, through `c.env.outgoing` too. Errors (403,
 * 413, 503) go to app.onError.
 */
export function sessionMiddleware(sessions: Sessions): MiddlewareHandler<SessionEnv> {
  const holdResponse = responseHolder();
  return async (c, next) => {
    const request = new HonoSessionRequest(c);
    const outer = sessions.begun(request.raw);
    const begun = outer ?? sessions.begin(request);
    const requestSession = begun instanceof Promise ? await begun : begun;
    c.set("session", requestSession.session);
    // Mounted twice, on the app and on one below it, the middleware is one.
    if (outer !== undefined) return next();
    const { outgoing } = c.env ?? {};
    if (outgoing !== undefined) holdResponse(outgoing, requestSession, (error) => respondRaw(outgoing, error));
    if (requestSession.refusal !== undefined) throw requestSession.refusal;
    try {
      await next();
    } finally {
      const headers = new ContextHeaders(c);
      // A handler that has taken c.env.outgoing for itself responds there, and so does the error of a save that fails.
      const isRaw = outgoing !== undefined && requestSession.isUsed && headers.get(ALREADY_SENT) !== undefined;
      if (!isRaw) await requestSession.complete(c.res.status, headers);
      // Behind a server, headers are written when all middleware is done with the response.
      if (outgoing === undefined) requestSession.writeHeaders(headers);
    }
  };
}

/** Responds in place of a handler that has written to `c.env.outgoing` by itself, past app.onError. */
function respondRaw(outgoing: HttpBindings["outgoing"], error: unknown): void {
  const { status = 500, headers } = error as { status?: number; headers?: Record<string, string> };
  outgoing.writeHead(status, { ...headers, "content-type": "text/plain" }).end(STATUS_CODES[status]);
}

/** The request of an app that may have more variables. */
export class HonoSessionRequest implements SessionRequest {
  readonly #c: Pick<SessionContext, "req" | "env">;
  constructor(c: Pick<SessionContext, "req" | "env">) {
    this.#c = c;
  }
  get raw(): object {
    return this.#c.env?.incoming ?? this.#c.req.raw;
  }
  get method(): string {
    return this.#c.req.method;
  }
  get url(): string {
    return this.#c.req.path;
  }
  header(name: string): string | undefined {
    const { incoming } = this.#c.env ?? {};
    return incoming === undefined ? this.#c.req.header(name) : headerOf(incoming, name);
  }
  get host(): string | undefined {
    return this.header("host") ?? this.header(":authority");
  }
  get remoteAddress(): string | undefined {
    return this.#c.env?.incoming?.socket.remoteAddress;
  }
  /** Not by the scheme of `c.req.url`, which may be what the client has claimed. */
  get isHttps(): boolean {
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
  remove(name: string): void {
    this.#change((headers) => headers.delete(name));
  }
  appendCookie(value: string): void {
    this.#change((headers) => headers.append("set-cookie", value));
  }
  /** The headers of a response from elsewhere (`return fetch(…)`) can't be changed; those of a copy can. */
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
