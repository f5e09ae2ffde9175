// Sessions for Fastify: `request.session` in every handler of the scope that registers sessionPlugin.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { ServerResponse } from "node:http";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { holdResponse } from "./response.ts";
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
  answerRaw: (error: unknown, request: FastifyRequest, response: ServerResponse) => void;
}

/**
 * Finds the session of every request and saves it before the response is sent. Errors (403, 413, 503) go to the app's
 * error handler.
 */
export const sessionPlugin: FastifyPluginCallback<SessionPluginOptions> = (app, { sessions, answerRaw }, done) => {
  app.decorateRequest(REQUEST_SESSION, undefined);
  app.decorateRequest("session", {
    getter() {
      return (this[REQUEST_SESSION] as RequestSession).session;
    },
  });

  function hold(request: FastifyRequest, reply: FastifyReply): void {
    const requestSession = request[REQUEST_SESSION];
    if (requestSession === undefined) return;
    // Fastify has let go of the reply by then, so that there is no error handler to ask.
    holdResponse(reply.raw, requestSession, (error) => answerRaw(error, request, reply.raw));
  }

  app.addHook("onRequest", async (request, reply) => {
    request[REQUEST_SESSION] = await sessions.begin(new NodeRequest(request.raw, request.originalUrl));
    // onSend sees nothing of what a handler sends by itself, through reply.raw.
    const { hijack } = reply;
    reply.hijack = () => {
      hold(request, reply);
      return hijack.call(reply);
    };
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const requestSession = request[REQUEST_SESSION];
    if (requestSession === undefined) return;
    const headers = new ReplyHeaders(reply);
    try {
      await requestSession.complete(reply.statusCode, headers);
    } catch (error) {
      // The error handler's response comes by here next.
      (payload as { destroy?: () => void } | null)?.destroy?.();
      throw error;
    }
    requestSession.writeHeaders(headers);
    // What is written to the session while a stream flows is saved before it ends.
    if (typeof payload === "object" && payload !== null && !Buffer.isBuffer(payload)) hold(request, reply);
  });

  // The client has gone before the response was there. What the handler wrote counts all the same.
  app.addHook("onRequestAbort", async (request) => request[REQUEST_SESSION]?.completeDetached());
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
