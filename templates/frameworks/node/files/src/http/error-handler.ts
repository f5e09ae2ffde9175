// Responds to whatever a handler, the router or the sessions have thrown.
// Change it where an error needs more than the page or the JSON that errors.ts makes of it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { removeRepresentation } from "../session/response-headers.ts";
import { toResponse } from "./errors.ts";

export function respondToError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) {
    console.error(error);
    // Half a response must not look like a whole one.
    response.destroy();
    return;
  }
  removeRepresentation({ remove: (name) => response.removeHeader(name) });
  const { status, headers, body } = toResponse(error, {
    accept: request.headers.accept,
    hasHeader: (name) => response.hasHeader(name),
    log: console.error,
  });
  response.statusCode = status;
  response.setHeaders(new Map(Object.entries(headers)));
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}
