// Sessions for Express: `request.session` in every handler behind sessionMiddleware.
// Change what a request looks like to the runtime here; what sessions do is in sessions.ts and session.ts.
import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";
import { NodeRequest } from "./request.ts";
import { holdResponse } from "./response.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

declare module "express-serve-static-core" {
  interface Request {
    /** Always there behind sessionMiddleware; nothing is stored until it is written to. */
    readonly session: Session;
  }
}

const VISIT = Symbol("visit");

interface Visiting {
  [VISIT]?: Visit;
}

// On the prototype: a getter on each request would cost more than the rest of an anonymous one.
Object.defineProperty(express.request, "session", {
  configurable: true,
  get(this: Visiting) {
    return this[VISIT]?.session;
  },
});

/** Finds the session of every request and saves it before the answer leaves. Errors (403, 413, 503) go to the app's error handler. */
export function sessionMiddleware(sessions: Sessions): RequestHandler {
  function attach(visit: Visit, request: Request, response: Response, next: NextFunction): void {
    (request as Visiting)[VISIT] = visit;
    holdResponse(response, visit, next);
    next();
  }

  return (request, response, next) => {
    const visit = sessions.begin(new NodeRequest(request, request.originalUrl));
    if (!(visit instanceof Promise)) return attach(visit, request, response, next);
    visit.then((found) => attach(found, request, response, next)).catch(next);
  };
}
