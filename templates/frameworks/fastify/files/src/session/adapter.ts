// Sessions for Fastify: `request.session` in every handler of the scope that registers sessionPlugin.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { ServerResponse } from "node:http";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { responseHolder } from "./response.ts";
import type { ResponseHeaders } from "./response-headers.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

const REQUEST_SESSION = Symbol("requestSession");

declare module "fastify" {
  interface FastifyRequest {
    /** Always there behind sessionPlugin. Nothing is stored until it is written to. */
    readonly session: Session;
    [REQUEST_SESSION]: RequestSession | undefined;
  }
}

export interface SessionPluginOptions {
  sessions: Sessions;
  /** Responds in place of a handler that has taken `reply.raw` for itself, where its session can't be saved. */
  respondToRawError: (error: unknown, request: FastifyRequest, response: ServerResponse) => void;
}

/**
 * Finds the session of every request and saves it before the response is sent, through reply.raw too. Errors (403, 413,
 * 503) go to the app's error handler.
 */
export const sessionPlugin: FastifyPluginCallback<SessionPluginOptions> = (
  app,
  { sessions, respondToRawError },
  done,
) => {
  // Registered twice, in a scope and in one below it, the plugin is one.
  if (app.hasRequestDecorator(REQUEST_SESSION)) return done();
  app.decorateRequest(REQUEST_SESSION, undefined);
  app.decorateRequest("session", {
    getter() {
      // Hooks that were added before the plugin run first, and malformed URLs pass no hook at all.
      this[REQUEST_SESSION] ??= sessions.empty(new NodeRequest(this.raw));
      return this[REQUEST_SESSION].session;
    },
  });

  const holdResponse = responseHolder();
  app.addHook("onRequest", (request, reply, done) => {
    // Fastify gathers the client's addresses only where it trusts a proxy.
    sessions.checkProxyTrust(request.ips !== undefined);
    const attach = (requestSession: RequestSession) => {
      request[REQUEST_SESSION]?.completeDetached();
      request[REQUEST_SESSION] = requestSession;
      // What bypasses onSend, by way of reply.raw or reply.hijack(), has no error handler.
      holdResponse(reply.raw, requestSession, (error) => respondToRawError(error, request, reply.raw));
      if (requestSession.refusal !== undefined) throw requestSession.refusal;
    };
    const begun = sessions.begin(new NodeRequest(request.raw, request.originalUrl));
    if (begun instanceof Promise) return begun.then(attach);
    attach(begun);
    done();
  });

  // Saves while the app's error handler can still respond. The session's headers are written as the response is sent,
  // when those of a `Response` and of reply.raw are there too.
  app.addHook("onSend", (request, reply, payload, done) => {
    const saved = request[REQUEST_SESSION]?.complete(reply.statusCode, new ReplyHeaders(reply));
    if (saved === undefined) return done();
    // Fastify catches what goes wrong after a promise, such as a header that can't be sent, but not after a late `done`.
    return saved.catch((error) => {
      // The error handler's response comes by here next.
      (payload as { destroy?: () => void } | null)?.destroy?.();
      throw error;
    });
  });
  done();
};

// As fastify-plugin does it: what the plugin adds is for the scope that registers it.
Object.assign(sessionPlugin, { [Symbol.for("skip-override")]: true });

class ReplyHeaders implements ResponseHeaders {
  readonly #reply: FastifyReply;
  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }
  get(name: string): string | undefined {
    const value = this.#reply.getHeader(name);
    return Array.isArray(value) ? value.join(", ") : value?.toString();
  }
  set(name: string, value: string): void {
    this.#reply.header(name, value);
  }
  remove(name: string): void {
    this.#reply.removeHeader(name);
  }
  appendCookie(value: string): void {
    this.#reply.header("set-cookie", value);
  }
}
