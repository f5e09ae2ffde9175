// Responds where no route did, and to whatever a handler or the session middleware has thrown.
// Change it where an error needs more than the page or the JSON that errors.ts makes of it.
import { inspect } from "node:util";
import type { Context, Middleware } from "koa";
import { removeRepresentation } from "../session/response-headers.ts";
import { Problem, toResponse } from "./errors.ts";

/** Stands around all routes and sees what none of them has responded to. */
export const notFound: Middleware = async (ctx, next) => {
  await next();
  if (ctx.body === undefined && ctx.status === 404) throw new Problem(404, "There is nothing at this address.");
};

/** Takes the place of Koa's own, which drops the security headers. Responds to what was thrown, by ctx.throw too. */
export function onError(this: Context, thrown: unknown): void {
  // Koa calls it after every response.
  if (thrown === null || thrown === undefined) return;
  const error: NodeJS.ErrnoException =
    thrown instanceof Error ? thrown : new Error(`Something that isn't an error was thrown: ${inspect(thrown)}`);
  const log = () => this.app.emit("error", error, this);
  if (this.headerSent || !this.writable) {
    // A client that hangs up, or doesn't speak HTTP, is no fault of the app's.
    if (error !== this.socket.errored && error.code !== "ERR_STREAM_PREMATURE_CLOSE") log();
    // Half a response must not look like a whole one.
    this.res.destroy();
    return;
  }
  removeRepresentation(this);
  const { status, headers, body } = toResponse(error, {
    accept: this.get("accept"),
    hasHeader: (name) => this.res.hasHeader(name),
    log,
  });
  this.set(headers);
  this.status = status;
  this.length = Buffer.byteLength(body);
  this.res.end(body);
}
