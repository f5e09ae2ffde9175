// Serves the files of public/: no dot files, nothing encoded, no "..".
// Add a type to have files with another ending served.
import { createReadStream, existsSync } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff2: "font/woff2",
};

/** A hook: passes on every request that is about something else. */
export async function publicFiles({ method, url }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const [, path, ending = ""] = /^((?:\/\w[\w.-]*)+\.(\w+))(?:\?|$)/.exec(url) ?? [];
  const type = Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
  if (type === undefined) return undefined;
  const file = new URL(`../../public${path}`, import.meta.url);
  return existsSync(file) ? reply.type(type).send(createReadStream(file)) : undefined;
}
