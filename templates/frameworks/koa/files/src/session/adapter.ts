// Sessions for Koa: `ctx.session` in every handler behind sessionMiddleware.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type Koa from "koa";
import type { Middleware } from "koa";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { holdResponse } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

declare module "koa" {
  interface DefaultContext {
    /** Always there behind sessionMiddleware. Nothing is stored until it is written to. */
    readonly session: Session;
  }
}

const REQUEST_SESSION = Symbol("requestSession");

/**
 * Finds the session of every request and saves it before the response is sent, through ctx.res too. Errors (403, 413,
 * 503) go to ctx.onerror, which an app replaces by app.context.onerror.
 */
export function sessionMiddleware(app: Koa, sessions: Sessions): Middleware {
  Object.defineProperty(app.context, "session", {
    configurable: true,
    get(this: { [REQUEST_SESSION]?: RequestSession }) {
      return this[REQUEST_SESSION]?.session;
    },
  });

  return async (ctx, next) => {
    const requestSession = await sessions.begin(new NodeRequest(ctx.req, ctx.originalUrl));
    Object.assign(ctx, { [REQUEST_SESSION]: requestSession });
    holdResponse(ctx.res, requestSession, (error) => ctx.onerror(error as Error));
    await next();
  };
}
