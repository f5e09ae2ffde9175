// Reads request bodies: JSON and forms, up to 256 kB. Handlers find them in ctx.request.body, and have to check them.
// Change the limit here, and which types are read in body-format.ts.
import { parse as parseForm } from "node:querystring";
import { bodyParser } from "@koa/bodyparser";
import type { Middleware } from "koa";
import { type BodyFormat, bodyFormat } from "./body-format.ts";
import { Problem } from "./errors.ts";

// Read as text: the parser's own JSON would refuse "__proto__", a key like any other here, and its forms end after 1,000
// fields.
const readText = bodyParser({
  enableTypes: ["text"],
  extendTypes: { text: ["application/json", "application/x-www-form-urlencoded"] },
  parsedMethods: ["POST", "PUT", "PATCH", "DELETE"],
  textLimit: "256kb",
});

/** Without a body, or for a body of any other type, ctx.request.body is undefined. */
export const readBody: Middleware = (ctx, next) => {
  const { request } = ctx;
  const format = bodyFormat(request.headers);
  if (format === undefined) return next();
  // The header can only be "identity" by now, which the parser knows in small letters only.
  delete request.headers["content-encoding"];
  return readText(ctx, () => {
    request.body = typeof request.body === "string" ? parse(format, request.body) : undefined;
    return next();
  });
};

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
