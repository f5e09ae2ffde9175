// Answers what went wrong: whatever a handler, the router or the sessions have thrown.
// Change it where an error needs another answer than the page or JSON that problem.ts makes of it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerTo } from "./errors.ts";

export function answerError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) {
    console.error(error);
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  const { status, headers, body } = answerTo(error, request.headers.accept, console.error);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}
