// The few ways in which handlers respond.
// Add one for each kind of response that more than one handler gives.
import { createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { PublicFile } from "./public-file.ts";

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(JSON.stringify(value));
}

export function sendFile(response: ServerResponse, { url, type }: PublicFile): void {
  response.setHeader("Content-Type", type);
  pipeline(createReadStream(url), response, (error) => {
    // A client that hangs up half way is no fault of the app's.
    if (error && error.code !== "ERR_STREAM_PREMATURE_CLOSE") console.error(error);
  });
}
