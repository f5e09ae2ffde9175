// Sessions for Express: `request.session` in every handler behind sessionMiddleware.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { RequestHandler } from "express";
import { NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { responseHolder } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

declare module "express-serve-static-core" {
  interface Request {
    /** Always there behind sessionMiddleware. Nothing is stored until it is written to. */
    readonly session: Session;
  }
}

/**
 * Finds the session of every request and saves it before the response is sent. Errors (403, 413, 503) go to the app's
 * error handler. Works as middleware of socket.io's engine too: `io.engine.use(sessionMiddleware(sessions))`.
 */
export function sessionMiddleware(sessions: Sessions): RequestHandler {
  const holdResponse = responseHolder();
  return (request, response, next) => {
    // Mounted twice, on the app and on a router below it, the middleware is one.
    if (sessions.begun(request) !== undefined) return next();
    sessions.checkProxyTrust(Boolean(request.app?.get("trust proxy")));
    const attach = (requestSession: RequestSession) => {
      requestSession.exposeOn(request);
      // What socket.io passes for the handshake of a WebSocket is no response.
      if ("headersSent" in response) holdResponse(response, requestSession, next);
      next(requestSession.refusal);
    };
    const begun = sessions.begin(new NodeRequest(request, request.originalUrl));
    if (begun instanceof Promise) begun.then(attach).catch(next);
    else attach(begun);
  };
}
