// Reads request bodies: JSON and forms, up to 256 kB. Handlers get them as `body`, and have to check them.
// Change the limit here, and which types are read in body-format.ts.
import type { IncomingMessage } from "node:http";
import { parse as parseForm } from "node:querystring";
import { type BodyFormat, bodyFormat } from "./body-format.ts";
import { Problem } from "./errors.ts";

const MAX_BYTES = 256 * 1024;

/** Resolves to undefined without a body, or for a body of any other type. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const format = bodyFormat(request.headers);
  // A TextDecoder drops the byte order mark, as the web does.
  return format && parse(format, new TextDecoder().decode(await readBytes(request)));
}

/** Doesn't iterate over the request, which would destroy the connection at the limit, before the client has read why. */
function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      // What comes beyond the limit is read and dropped.
      if (size <= MAX_BYTES) pieces.push(piece);
      else reject(new Problem(413, "The request body is larger than 256 kB."));
    });
    request.once("end", () => resolve(Buffer.concat(pieces)));
    request.on("error", () => reject(new Problem(400, "The request body was cut short.")));
  });
}

function parse(format: BodyFormat, text: string): unknown {
  // Many clients name a type even where they send nothing.
  if (text === "") return undefined;
  // The object has no prototype, and a list for each repeated field.
  if (format === "form") return parseForm(text, "&", "=", { maxKeys: 0 });
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "The request body is not valid JSON.");
  }
}
