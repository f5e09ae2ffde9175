// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Change the limit here, and which types are read in input.ts.
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { matchedRoutes } from "hono/route";
import { bodyFormat, parseBody } from "../example/input.ts";
import { Problem } from "./errors.ts";

const MAX_BYTES = 256 * 1024;

/** For `new Hono<BodyEnv>()`: the parsed body; undefined without one, or for any other type. */
export interface BodyEnv {
  Variables: { body: unknown };
}

const limit = bodyLimit({ maxSize: MAX_BYTES, onError: refuse });

export const readBody: MiddlewareHandler<BodyEnv> = async (c, next) => {
  // Only middleware, no route: 404, whatever was sent.
  if (matchedRoutes(c).every(({ method }) => method === "ALL")) return next();
  const format = bodyFormat(c.req.header());
  // What isn't looked at can pass unread, and the connection stays; bodyLimit would look at it.
  if (Number(c.req.header("content-length")) > MAX_BYTES) refuse();
  let text = "";
  try {
    await limit(c, async () => {
      if (format !== undefined) text = await c.req.text();
    });
  } catch (error) {
    // Hung up half way: a client's mistake.
    throw error instanceof Problem ? error : new Problem(400, "The body can't be read.");
  }
  c.set("body", format && parseBody(format, text));
  return next();
};

function refuse(): never {
  throw new Problem(413, "The body is larger than 256 kB.");
}
