// The few ways in which handlers answer.
// Add one for each kind of answer that more than one handler gives.
import { createReadStream } from "node:fs";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream";

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

export function sendHtml(response: ServerResponse, markup: string): void {
  send(response, 200, "text/html; charset=utf-8", markup);
}

export function sendNothing(response: ServerResponse): void {
  response.statusCode = 204;
  response.end();
}

/** After a form: the browser goes on with GET, and a reload doesn't send the form again. */
export function redirect(response: ServerResponse, location: string): void {
  response.statusCode = 303;
  response.setHeader("Location", location);
  response.end();
}

export function sendFile(response: ServerResponse, type: string, file: URL): void {
  response.setHeader("Content-Type", type);
  pipeline(createReadStream(file), response, (error) => {
    // A client that goes away half way is no fault.
    if (error && error.code !== "ERR_STREAM_PREMATURE_CLOSE") console.error(error);
  });
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}
