// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Add a content type here.
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { isForm } from "./input.ts";
import { Problem } from "./problem.ts";

const MAX_BYTES = 256 * 1024;

const limit = bodyLimit({ maxSize: MAX_BYTES, onError: refuse });

export const limitBody: MiddlewareHandler = async (c, next) => {
  // A body that nobody has looked at can pass unread, and the connection stays; bodyLimit would look at it.
  if (Number(c.req.header("content-length")) > MAX_BYTES) refuse();
  try {
    return await limit(c, next);
  } catch (error) {
    // Hung up half way: a client's mistake, nothing to take note of.
    throw (error as { code?: string }).code === "ECONNRESET" ? new Problem(400, "The body can't be read.") : error;
  }
};

/** The parsed body; undefined without one, or for any other type: handlers that need a body miss it, and say so. */
export async function readBody(c: Context): Promise<unknown> {
  const type = c.req.header("content-type");
  const isJson = /^application\/json *(?:;|$)/i.test(type ?? "");
  if (!isJson && !isForm(type)) return undefined;
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding !== "identity") throw new Problem(415, `A body's encoding can't be "${encoding}" here.`);
  try {
    if (!isJson) return await c.req.parseBody({ all: true });
    const text = await c.req.text();
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // Malformed, or the client has hung up half way: its mistake in both cases.
    throw new Problem(400, "The body can't be read.");
  }
}

function refuse(): never {
  throw new Problem(413, "The body is larger than 256 kB.");
}
