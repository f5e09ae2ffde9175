// Answers what went wrong: nothing at that address, an error that was thrown.
// Change it where an error needs another answer than the page or JSON that problem.ts makes of it.
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { answerTo, Problem } from "./errors.ts";

export function notFound(c: Context): Response {
  return answerError(new Problem(404, "There is nothing at this address."), c);
}

export function answerError(error: Error, c: Context): Response {
  // Some middleware brings the answer along (basicAuth its WWW-Authenticate).
  if (error instanceof HTTPException && error.res !== undefined) return error.getResponse();
  const { status, headers, body } = answerTo(error, c.req.header("accept"), console.error);
  return c.body(body, status as ContentfulStatusCode, headers);
}
