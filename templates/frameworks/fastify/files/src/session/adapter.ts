// Sessions for Fastify: `request.session` in every handler of the scope that registers sessionPlugin.
// Change what a request looks like to the runtime here; what sessions do is in sessions.ts and session.ts.
import type { ServerResponse } from "node:http";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import type { ResponseHeaders } from "./cookie.ts";
import { NodeRequest } from "./request.ts";
import { holdResponse, OF_THE_ANSWER } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

const VISIT = Symbol("visit");

declare module "fastify" {
  interface FastifyRequest {
    /** Always there behind sessionPlugin; nothing is stored until it is written to. */
    readonly session: Session;
    [VISIT]: Visit | undefined;
  }
}

export interface SessionPluginOptions {
  sessions: Sessions;
  /** Answers in place of a handler that has taken `reply.raw` for itself, where its session can't be saved. */
  answerRaw: (error: unknown, request: FastifyRequest, response: ServerResponse) => void;
}

/** Finds the session of every request and saves it before the answer leaves. Errors (403, 413, 503) go to the app's error handler. */
export const sessionPlugin: FastifyPluginCallback<SessionPluginOptions> = (app, { sessions, answerRaw }, done) => {
  app.decorateRequest(VISIT, undefined);
  app.decorateRequest("session", {
    getter() {
      return (this[VISIT] as Visit).session;
    },
  });

  function hold(request: FastifyRequest, reply: FastifyReply): void {
    const visit = request[VISIT];
    // Fastify has let go of the reply by then: there is no error handler to ask.
    if (visit !== undefined) holdResponse(reply.raw, visit, (error) => answerRaw(error, request, reply.raw));
  }

  app.addHook("onRequest", async (request, reply) => {
    request[VISIT] = await sessions.begin(new NodeRequest(request.raw, request.originalUrl));
    // onSend sees nothing of what a handler sends by itself, through reply.raw.
    const { hijack } = reply;
    reply.hijack = () => {
      hold(request, reply);
      return hijack.call(reply);
    };
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const visit = request[VISIT];
    if (visit === undefined) return;
    try {
      await visit.finish();
    } catch (error) {
      // An error's answer doesn't say that anything was saved: it stands.
      if (reply.statusCode < 400) {
        // The handler's answer says that all went well, and it has not. The error handler's comes by here next.
        for (const name of OF_THE_ANSWER) reply.removeHeader(name);
        (payload as { destroy?: () => void } | null)?.destroy?.();
        throw error;
      }
      visit.tellUnsaved(error as Error);
    }
    visit.writeHeaders(new ReplyHeaders(reply));
    // What is written to the session while a stream flows is saved before it ends.
    if (typeof payload === "object" && payload !== null && !Buffer.isBuffer(payload)) hold(request, reply);
  });

  // The client has gone before its answer: what the handler wrote counts all the same.
  app.addHook("onRequestAbort", async (request) => request[VISIT]?.finishAlone());
  done();
};

// Not encapsulated: what it adds is for the scope that registers it, as with fastify-plugin.
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
  appendCookie(value: string): void {
    this.#reply.header("set-cookie", value);
  }
}
