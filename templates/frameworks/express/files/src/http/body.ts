// Reads request bodies: JSON and forms, up to 256 kB. Handlers find them in request.body, and have to check them.
// Change the limit here, and which types are read in body-format.ts.
import express from "express";
import { bodyFormat } from "./body-format.ts";

const limit = "256kb";

/** Without a body, or for a body of any other type, request.body is undefined. */
export const readBody = [
  // Not strict: `null` and `"text"` are JSON too. They are of the wrong type (422), not malformed (400).
  express.json({ type: ({ headers }) => bodyFormat(headers) === "json", limit, strict: false }),
  // A form may have as many fields as the limit has room for.
  express.urlencoded({
    type: ({ headers }) => bodyFormat(headers) === "form",
    limit,
    extended: false,
    parameterLimit: Number.POSITIVE_INFINITY,
  }),
];
