// Serves the files of public/: no dot files, nothing encoded, no "..".
// Change the pattern to have other names served.
import { createReadStream, existsSync } from "node:fs";
import { Readable } from "node:stream";
import type { MiddlewareHandler } from "hono";
import { getMimeType } from "hono/utils/mime";

/** Passes on every request that is about something else. */
export const publicFiles: MiddlewareHandler = async (c, next) => {
  const { method, path } = c.req;
  const isFile = /^(?:\/\w[\w.-]*)+\.\w+$/.test(path) && (method === "GET" || method === "HEAD");
  const file = new URL(`../../public${isFile ? path : ""}`, import.meta.url);
  if (!isFile || !existsSync(file)) return next();
  c.header("Content-Type", getMimeType(path) ?? "application/octet-stream");
  return c.body(Readable.toWeb(createReadStream(file)) as ReadableStream);
};
