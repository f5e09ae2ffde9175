// Sessions as app.use takes them: `c.var.session` in every handler, and errors that Hono's own error handler understands.
// Change here what a client is told when a request was refused (403), too much was stored (413) or the store is down (503).
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

export function sessionMiddleware(sessions: Sessions): MiddlewareHandler<SessionEnv> {
  const attach = attachSession(sessions);
  return async (c, next) => {
    try {
      return await attach(c, next);
    } catch (error) {
      // What handlers throw doesn't come by here; this is what is wrong with the session.
      const { status, message } = error as { status?: ContentfulStatusCode; message: string };
      if (error instanceof HTTPException || status === undefined) throw error;
      throw new HTTPException(status, { message, cause: error });
    }
  };
}
