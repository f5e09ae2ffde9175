// Which bodies are read, and how: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Change the limit here, and which types are read in input.ts.
import { parse } from "node:querystring";
import express, { type RequestHandler } from "express";
import { bodyFormat } from "../example/input.ts";

const limit = "256kb";

/** Leaves the parsed body in request.body; nothing without one, or for any other type. */
export const readBody: RequestHandler[] = [
  // Not strict: `null` and `"text"` are JSON, of the wrong type (422), not malformed (400).
  express.json({ type: ({ headers }) => bodyFormat(headers) === "json", limit, strict: false }),
  // Not express.urlencoded: a form that repeats one field 65,000 times keeps its parser busy for 14 seconds.
  express.text({ type: ({ headers }) => bodyFormat(headers) === "form", limit }),
  (request, _response, next) => {
    if (bodyFormat(request.headers) === "form" && typeof request.body === "string") {
      request.body = parse(request.body, "&", "=", { maxKeys: 0 });
    }
    next();
  },
];
