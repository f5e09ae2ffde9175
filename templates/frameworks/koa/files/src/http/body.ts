// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Change the limit here, and which types are read in input.ts.
import { bodyParser } from "@koa/bodyparser";
import type { Middleware } from "koa";
import { bodyFormat, parseBody } from "../example/input.ts";

// As text: the parser's own JSON would refuse "__proto__", a key like any other here, and its forms end after 1,000 fields.
const readText = bodyParser({
  enableTypes: ["text"],
  extendTypes: { text: ["application/json", "application/x-www-form-urlencoded"] },
  parsedMethods: ["POST", "PUT", "PATCH", "DELETE"],
  textLimit: "256kb",
});

/** Leaves the parsed body in ctx.request.body; nothing without one, or for any other type. */
export const readBody: Middleware = (ctx, next) => {
  const { request } = ctx;
  const format = bodyFormat(request.headers);
  if (format === undefined) return next();
  // Checked by now, and the parser knows "identity" in small letters only.
  delete request.headers["content-encoding"];
  return readText(ctx, () => {
    request.body = typeof request.body === "string" ? parseBody(format, request.body) : undefined;
    return next();
  });
};
