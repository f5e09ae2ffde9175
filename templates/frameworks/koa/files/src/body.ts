// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Add a content type here.
import { bodyParser } from "@koa/bodyparser";
import type { Middleware } from "koa";
import { Problem } from "./problem.ts";

/** JSON as text: the parser would refuse "__proto__", which is a key like any other in session data, which has no prototype. */
export const readBody = bodyParser({
  enableTypes: ["form", "text"],
  extendTypes: { text: ["application/json"] },
  formLimit: "256kb",
  textLimit: "256kb",
});

/** Behind readBody. */
export const parseJson: Middleware = (ctx, next) => {
  const { request } = ctx;
  if (request.is("application/json") && typeof request.body === "string") {
    try {
      // Not an error by itself: many clients name a type even where they send nothing.
      request.body = request.body === "" ? undefined : JSON.parse(request.body);
    } catch {
      throw new Problem(400, "The body is not valid JSON.");
    }
  }
  return next();
};
