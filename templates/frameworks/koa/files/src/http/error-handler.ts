// Answers what went wrong: nothing at that address, an error that was thrown.
// Change it where an error needs another answer than the page or JSON that problem.ts makes of it.
import { inspect } from "node:util";
import type { Context, Middleware } from "koa";
import { removeRepresentation } from "../session/response-headers.ts";
import { answerTo, Problem } from "./errors.ts";

/** Around all routes: what none of them has answered. */
export const notFound: Middleware = async (ctx, next) => {
  await next();
  if (ctx.body === undefined && ctx.status === 404) throw new Problem(404, "There is nothing at this address.");
};

/** Instead of Koa's own, which drops the security headers: answers what was thrown, by ctx.throw too. */
export function answerError(this: Context, thrown: unknown): void {
  // Koa calls it after every answer.
  if (thrown === null || thrown === undefined) return;
  const error: Error & { code?: string; headers?: Record<string, string> } =
    thrown instanceof Error ? thrown : new Error(`Thrown, and no error: ${inspect(thrown)}`);
  const note = () => this.app.emit("error", error, this);
  if (this.headerSent || !this.writable) {
    // A client that breaks off, or speaks no HTTP, is no fault of ours.
    if (error !== this.socket.errored && error.code !== "ERR_STREAM_PREMATURE_CLOSE") note();
    // Half an answer must not look like a whole one.
    this.res.destroy();
    return;
  }
  removeRepresentation(this);
  const { status, headers, body } = answerTo(error, this.get("accept"), note);
  this.set({ ...error.headers, ...headers });
  this.status = status;
  this.length = Buffer.byteLength(body);
  this.res.end(body);
}
