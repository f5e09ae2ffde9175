// Sessions for Koa: `ctx.session` in every handler behind sessionMiddleware.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { Middleware } from "koa";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { responseHolder } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

declare module "koa" {
  interface DefaultContext {
    /** Always there behind sessionMiddleware. Nothing is stored until it is written to. */
    readonly session: Session;
  }
}

/**
 * Finds the session of every request and saves it before the response is sent, through ctx.res too. Errors (403, 413,
 * 503) go to ctx.onerror, which an app replaces by app.context.onerror.
 */
export function sessionMiddleware(sessions: Sessions): Middleware {
  const holdResponse = responseHolder();
  return (ctx, next) => {
    const outer = sessions.begun(ctx.req);
    if (outer !== undefined) {
      // Mounted twice, on the app and on one below it, the middleware is one.
      outer.exposeOn(ctx);
      return next();
    }
    sessions.checkProxyTrust(ctx.app.proxy);
    const attach = (requestSession: RequestSession) => {
      requestSession.exposeOn(ctx);
      holdResponse(ctx.res, requestSession, (error) => ctx.onerror(error as Error));
      if (requestSession.refusal !== undefined) throw requestSession.refusal;
      return next();
    };
    const begun = sessions.begin(new NodeRequest(ctx.req, ctx.originalUrl));
    return begun instanceof Promise ? begun.then(attach) : attach(begun);
  };
}
