// Reads what a request sends: JSON and forms, 256 kB at most. What they hold is checked by input.ts.
// Change the limit here, and which types are read in input.ts.
import type { IncomingMessage } from "node:http";
import { bodyFormat, parseBody } from "../example/input.ts";
import { Problem } from "./errors.ts";

const MAX_BYTES = 256 * 1024;

/** undefined without a body, or for any other type: handlers that need one miss it, and say so. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const format = bodyFormat(request.headers);
  // Decoded as the web does: without a byte order mark.
  return format && parseBody(format, new TextDecoder().decode(await readBytes(request)));
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
