// Reads request bodies: JSON and forms, up to 256 kB. Handlers find them in request.body, and have to check them.
// Change the limit here, and which types are read in body-format.ts.
import { parse } from "node:querystring";
import express, { type RequestHandler } from "express";
import { bodyFormat } from "./body-format.ts";

const limit = "256kb";

/** Without a body, or for a body of any other type, request.body is undefined. */
export const readBody: RequestHandler[] = [
  // Not strict: `null` and `"text"` are JSON too. They are of the wrong type (422), not malformed (400).
  express.json({ type: ({ headers }) => bodyFormat(headers) === "json", limit, strict: false }),
  // Not express.urlencoded: its parser is busy for 14 seconds with a form that repeats one field 65,000 times.
  express.text({ type: ({ headers }) => bodyFormat(headers) === "form", limit }),
  (request, _response, next) => {
    if (bodyFormat(request.headers) === "form" && typeof request.body === "string") {
      // The object has no prototype, and a list for each repeated field. A form may have any number of fields.
      request.body = parse(request.body, "&", "=", { maxKeys: 0 });
    }
    next();
  },
];
