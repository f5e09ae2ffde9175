// Reads request bodies: JSON and forms, up to 256 kB. Handlers find them in c.var.body, and have to check them.
// Change the limit here, and which types are read in body-format.ts.
import { parse as parseForm } from "node:querystring";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { matchedRoutes } from "hono/route";
import type { SessionEnv } from "../session/adapter.ts";
import { type BodyFormat, bodyFormat } from "./body-format.ts";
import { Problem } from "./errors.ts";

const MAX_BYTES = 256 * 1024;

/** For `new Hono<AppEnv>()`: what the session middleware and this one put into `c.var`. */
export interface AppEnv extends SessionEnv {
  /** `body` is undefined without a body, or for a body of any other type. */
  Variables: SessionEnv["Variables"] & { body: unknown };
}

const limit = bodyLimit({ maxSize: MAX_BYTES, onError: refuse });

export const readBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  // Where only middleware matches, there is no route: 404, whatever was sent.
  if (matchedRoutes(c).every(({ method }) => method === "ALL")) return next();
  const format = bodyFormat(c.req.header());
  // A body that isn't looked at can pass unread, and the connection stays open; bodyLimit would look at it.
  if (Number(c.req.header("content-length")) > MAX_BYTES) refuse();
  let text = "";
  try {
    await limit(c, async () => {
      if (format !== undefined) text = await c.req.text();
    });
  } catch (error) {
    // The client hung up half way.
    throw error instanceof Problem ? error : new Problem(400, "The request body was cut short.");
  }
  c.set("body", format && parse(format, text));
  return next();
};

function refuse(): never {
  throw new Problem(413, "The request body is larger than 256 kB.");
}

function parse(format: BodyFormat, text: string): unknown {
  // Many clients name a type even where they send nothing.
  if (text === "") return undefined;
  // The object has no prototype, and a list for each repeated field.
  if (format === "form") return parseForm(text, "&", "=", { maxKeys: 0 });
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "The request body is not valid JSON.");
  }
}
