// Sessions as app.use takes them: `c.var.session` in every handler, and errors that Hono's own error handler understands.
// Change here what a client is told when a request was refused (403), too much was stored (413) or the store is down (503).
import { STATUS_CODES } from "node:http";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { sessionMiddleware as attachSession, type SessionEnv } from "./session/adapter.ts";
import type { Session } from "./session/session.ts";
import type { Sessions } from "./session/sessions.ts";

declare module "hono" {
  interface ContextVariableMap {
    session: Session;
  }
}

interface SessionError extends Error {
  status?: ContentfulStatusCode;
  headers?: Record<string, string>;
}

export function sessionMiddleware(sessions: Sessions): MiddlewareHandler<SessionEnv> {
  const attach = attachSession(sessions);
  return async (c, next) => {
    try {
      return await attach(c, next);
    } catch (error) {
      // What handlers throw doesn't come by here; this is what is wrong with the session.
      const { status, message, headers } = error as SessionError;
      if (error instanceof HTTPException || status === undefined) throw error;
      // The message of a store that is down may name its host.
      const res = new Response(status < 500 ? message : STATUS_CODES[status], { status, headers: headers ?? {} });
      throw new HTTPException(status, { message, cause: error, res });
    }
  };
}
