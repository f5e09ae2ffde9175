// Responds where no route did, and to whatever a handler or the session middleware has thrown.
// Change it where an error needs more than the page or the JSON that errors.ts makes of it.
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { removeRepresentation } from "../session/response-headers.ts";
import { Problem, toResponse } from "./errors.ts";

export function notFound(c: Context): Response {
  return onError(new Problem(404, "There is nothing at this address."), c);
}

export function onError(error: Error, c: Context): Response {
  // Some middleware brings its response along (basicAuth its WWW-Authenticate).
  if (error instanceof HTTPException && error.res !== undefined) return error.getResponse();
  removeRepresentation({ remove: (name) => c.header(name, undefined) });
  const { status, headers, body } = toResponse(error, {
    accept: c.req.header("accept"),
    hasHeader: (name) => c.res.headers.has(name),
    log: console.error,
  });
  return c.body(body, status as ContentfulStatusCode, headers);
}
