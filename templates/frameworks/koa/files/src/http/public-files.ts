// Serves the files of public/: no dot files, nothing encoded, no "..".
// Change the pattern to have other names served.
import { createReadStream, existsSync } from "node:fs";
import { extname } from "node:path";
import type { Middleware } from "koa";

/** Passes on every request that is about something else. */
export const publicFiles: Middleware = (ctx, next) => {
  const isFile = /^(?:\/\w[\w.-]*)+\.\w+$/.test(ctx.path) && (ctx.method === "GET" || ctx.method === "HEAD");
  const file = new URL(`../../public${isFile ? ctx.path : ""}`, import.meta.url);
  if (!isFile || !existsSync(file)) return next();
  ctx.type = extname(ctx.path);
  ctx.body = createReadStream(file);
};
