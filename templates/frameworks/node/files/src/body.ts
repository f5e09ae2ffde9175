// Reads what a request sends: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Add a content type here.
import type { IncomingMessage } from "node:http";
import { parse } from "node:querystring";
import { isForm } from "./input.ts";
import { Problem } from "./problem.ts";

const MAX_BYTES = 256 * 1024;

/** The parsed body; undefined without one, or for any other type: handlers that need a body miss it, and say so. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"];
  const isJson = /^application\/json *(?:;|$)/i.test(type ?? "");
  if (!isJson && !isForm(type)) return undefined;
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw new Problem(415, `A body's encoding can't be "${encoding}" here.`);
  const text = (await readBytes(request)).toString();
  if (text === "") return undefined;
  // An object without a prototype, and lists for what is there more than once.
  return isJson ? parseJson(text) : parse(text);
}

/** Not by `for await`, which would destroy the connection at the limit, before the client has read why. */
function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      // What follows is let pass, unkept.
      if (size <= MAX_BYTES) pieces.push(piece);
      else reject(new Problem(413, "The body is larger than 256 kB."));
    });
    request.once("end", () => resolve(Buffer.concat(pieces)));
    request.on("error", () => reject(new Problem(400, "The body broke off.")));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "The body is not valid JSON.");
  }
}
