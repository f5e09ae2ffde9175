// Which request bodies are read: JSON and forms, in UTF-8 and not compressed. body.ts reads them.
// Add a content type here, and to body.ts.
import type { IncomingHttpHeaders } from "node:http";
import { Problem } from "./errors.ts";

export type BodyFormat = "form" | "json";

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const JSON_TEXT = /^application\/json\s*(?:;|$)/i;

/**
 * undefined where the body is of another type: it isn't read, and a handler that needs one reports that it is missing.
 * Throws a Problem (415) for a compressed body, which could grow without limit, and for one that isn't in UTF-8, which
 * would be stored garbled.
 */
export function bodyFormat(headers: IncomingHttpHeaders | Record<string, string>): BodyFormat | undefined {
  const type = headers["content-type"] ?? "";
  const format = FORM.test(type) ? "form" : JSON_TEXT.test(type) ? "json" : undefined;
  if (format === undefined) return undefined;
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw new Problem(415, "The request body must not be compressed.");
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1] ?? "utf-8";
  if (charset.toLowerCase() !== "utf-8") throw new Problem(415, "The request body must be in UTF-8.");
  return format;
}
