// Which file of public/ a request asks for: no dot files, nothing encoded, no "..".
// Add a type to have files with another ending served.
import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";

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

export interface PublicFile {
  url: URL;
  type: string;
}

/** undefined: the request is about something else. */
export function publicFile({ method, url = "" }: IncomingMessage): PublicFile | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const [, path, ending = ""] = /^((?:\/\w[\w.-]*)+\.(\w+))(?:\?|$)/.exec(url) ?? [];
  const type = Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
  if (type === undefined) return undefined;
  const file = new URL(`../../public${path}`, import.meta.url);
  return existsSync(file) ? { url: file, type } : undefined;
}
