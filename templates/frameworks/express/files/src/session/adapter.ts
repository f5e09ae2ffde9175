// Sessions for Express: `request.session` in every handler behind sessionMiddleware.
// Change here what the runtime sees of a request; what sessions do is in sessions.ts and session.ts.
import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";
import { NodeRequest } from "./request.ts";
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

const REQUEST_SESSION = Symbol("requestSession");

interface WithSession {
  [REQUEST_SESSION]?: RequestSession;
}

// On the prototype: a getter on each request would cost more than the rest of an anonymous one.
Object.defineProperty(express.request, "session", {
  configurable: true,
  get(this: WithSession) {
    return this[REQUEST_SESSION]?.session;
  },
});

/**
 * Finds the session of every request and saves it before the response is sent. Errors (403, 413, 503) go to the app's
 * error handler.
 */
export function sessionMiddleware(sessions: Sessions): RequestHandler {
  function attach(requestSession: RequestSession, request: Request, response: Response, next: NextFunction): void {
    (request as WithSession)[REQUEST_SESSION] = requestSession;
    holdResponse(response, requestSession, next);
    next();
  }

  return (request, response, next) => {
    const begun = sessions.begin(new NodeRequest(request, request.originalUrl));
    if (!(begun instanceof Promise)) return attach(begun, request, response, next);
    begun.then((requestSession) => attach(requestSession, request, response, next)).catch(next);
  };
}
