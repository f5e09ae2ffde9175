// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Change the limit here, and which types are read in input.ts.
import express from "express";
import { bodyFormat } from "../example/input.ts";

const limit = "256kb";

/** Leaves the parsed body in request.body; nothing without one, or for any other type. */
export const readBody = [
  // Not strict: `null` and `"text"` are JSON, of the wrong type (422), not malformed (400).
  express.json({ type: ({ headers }) => bodyFormat(headers) === "json", limit, strict: false }),
  // As many fields as the limit has room for.
  express.urlencoded({
    type: ({ headers }) => bodyFormat(headers) === "form",
    limit,
    extended: false,
    parameterLimit: Number.POSITIVE_INFINITY,
  }),
];
