// What a framework's conformance.ts has to serve, so that one suite (adapters.test.ts) can hold all adapters to the same.
// Change it when there is another way to respond; then every framework's fixture gets the route.
import type { Server } from "node:http";
import type { Session } from "../../runtime/src/session/session.ts";
import type { Sessions } from "../../runtime/src/session/sessions.ts";

/** What a test does with the session of a request. */
export type Handle = (session: Session) => unknown;

/** Mounts other middleware or plugins on the framework's app, before or behind the sessions. */
export interface Others {
  before?(app: unknown): unknown;
  behind?(app: unknown): unknown;
}

/**
 * Routes, all of them GET unless noted. "writes" is `write(session)`; a text is text/plain.
 *
 *   /public     doesn't touch the session; "hello"
 *   /text       writes; "hello"
 *   /redirect   writes; 303 to /next
 *   /empty      writes; 204
 *   /stream     writes; a stream: source()
 *   /late       a stream: late(session)
 *   /raw        writes; "hello" through the ServerResponse itself, past the framework
 *   /raw-stream writes; source() piped into the ServerResponse itself
 *   /throws     writes; then throws teapot()
 *   /large      write(session, LARGE); 303 to /next
 *   /handle     any method: responds with JSON `{ result }`, what `handle(session)` resolves to (null if that is undefined)
 *   /nested     the same, on a router or app of its own with the middleware mounted once more; before it an outer handler
 *               does write(session, 1, "outer")
 *
 * Everything else is 404 by a handler that reads `session.userid`. Errors get their status, `{ error: message }` and, where
 * the error handler is given the session, the header x-session: `String(session.exists)`.
 */
export interface AdapterFixture {
  /** A server that does not listen yet. node:http has no middleware. */
  serve(sessions: Sessions, handle: Handle, others?: Others): Server | Promise<Server>;
  /** The framework has no error handler that is given the session. */
  errorsLackSession?: true;
}

/** More than maxDataBytes. */
export const LARGE = "x".repeat(70_000);

export function write(session: Session, value: unknown = 1, key = "here"): void {
  (session.data as Record<string, unknown>)[key] = value;
}

export function teapot(): Error {
  return Object.assign(new Error("broken"), { status: 418 });
}

/** Three pieces, with a little time between them. */
export async function* source(): AsyncGenerator<Buffer> {
  for (const piece of ["he", "l", "lo"]) {
    await new Promise((resume) => setImmediate(resume));
    yield Buffer.from(piece);
  }
}

/** Writes to the session half way, long after the headers have left. */
export async function* late(session: Session): AsyncGenerator<Buffer> {
  yield Buffer.from("first ");
  await new Promise((resume) => setTimeout(resume, 50));
  write(session, 1, "later");
  yield Buffer.from("last");
}
