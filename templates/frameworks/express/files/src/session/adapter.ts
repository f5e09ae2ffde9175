// Sessions for Express: `request.session` in every handler behind sessionMiddleware.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { isWebSocket, NodeRequest } from "./request.ts";
import type { RequestSession } from "./request-session.ts";
import { holdResponse } from "./response.ts";
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
  function attach(requestSession: RequestSession, request: Request, response: Response, next: NextFunction): void {
    requestSession.exposeOn(request);
    // The handshake of a WebSocket has no response.
    if (!isWebSocket(new NodeRequest(request))) holdResponse(response, requestSession, next);
    next(requestSession.refusal);
  }

  return (request, response, next) => {
    // Mounted twice, on the app and on a router below it, the middleware is one.
    if (sessions.begun(request) !== undefined) return next();
    sessions.checkProxyTrust(Boolean(request.app?.get("trust proxy")));
    const begun = sessions.begin(new NodeRequest(request, request.originalUrl));
    if (!(begun instanceof Promise)) return attach(begun, request, response, next);
    begun.then((requestSession) => attach(requestSession, request, response, next)).catch(next);
  };
}
