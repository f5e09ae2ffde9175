// Sessions for Koa: `ctx.session` in every handler behind sessionMiddleware.
// Change what a request looks like to the runtime here; what sessions do is in sessions.ts and session.ts.
import type Koa from "koa";
import type { Middleware } from "koa";
import { NodeRequest } from "./request.ts";
import { holdResponse } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

declare module "koa" {
  interface DefaultContext {
    /** Always there behind sessionMiddleware; nothing is stored until it is written to. */
    readonly session: Session;
  }
}

const VISIT = Symbol("visit");

/**
 * Finds the session of every request and saves it before the answer leaves, through ctx.res too. Errors (403, 413, 503)
 * go to ctx.onerror, which an app replaces by app.context.onerror.
 */
export function sessionMiddleware(app: Koa, sessions: Sessions): Middleware {
  Object.defineProperty(app.context, "session", {
    configurable: true,
    get(this: { [VISIT]?: Visit }) {
      return this[VISIT]?.session;
    },
  });

  return async (ctx, next) => {
    const visit = await sessions.begin(new NodeRequest(ctx.req, ctx.originalUrl));
    Object.assign(ctx, { [VISIT]: visit });
    holdResponse(ctx.res, visit, (error) => ctx.onerror(error as Error));
    await next();
  };
}
