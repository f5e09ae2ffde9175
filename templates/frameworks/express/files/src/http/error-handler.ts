// The last middleware: responds where no route did, and to whatever a handler or the session middleware has thrown.
// Change it where an error needs more than the page or the JSON that errors.ts makes of it.
import type { ErrorRequestHandler, RequestHandler } from "express";
import { removeRepresentation } from "../session/response-headers.ts";
import { Problem, toResponse } from "./errors.ts";

export const notFound: RequestHandler = () => {
  throw new Problem(404, "There is nothing at this address.");
};

export const errorHandler: ErrorRequestHandler = (error, request, response, next) => {
  // Express then closes the connection: half a response must not look like a whole one.
  if (response.headersSent) return next(error);
  removeRepresentation({ remove: (name) => response.removeHeader(name) });
  const { status, headers, body } = toResponse(error, {
    accept: request.get("accept"),
    hasHeader: (name) => response.hasHeader(name),
    log: console.error,
  });
  return response.status(status).set(headers).send(body);
};
