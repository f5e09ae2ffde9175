// Turns whatever is thrown into a response: a page for browsers, JSON `{ error }` for everyone else.
// Change here what clients learn about a failure; error-page.ts has the page.
import { STATUS_CODES } from "node:http";
import { StoreUnavailable } from "../session/contract.ts";
import { removeRepresentation } from "../session/response-headers.ts";
import { errorPage } from "./error-page.ts";

/** For handlers to throw: the client gets this status and this message. What is in `more` joins `error` in the JSON. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly more: Record<string, unknown>;

  constructor(status: number, message: string, more: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

/** What the response depends on besides the error. */
export interface ErrorContext {
  /** The request's Accept header. */
  accept: string | undefined;
  /** Whether the response has this header already. */
  hasHeader(name: string): boolean;
  /** Gets every error that the app didn't expect. */
  log(error: unknown): void;
}

export interface ErrorResponse {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string;
}

export function toResponse(error: unknown, { accept, hasHeader, log }: ErrorContext): ErrorResponse {
  const status = statusOf(error);
  if (status >= 500 && !isExpected(error)) log(error);
  const headers = headersOf(error);
  const message = messageOf(error, status);
  const isHtml = /\btext\/html\b/i.test(accept ?? "");
  headers["content-type"] = isHtml ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  headers["cache-control"] = "no-store";
  // A 401 has to name a scheme (RFC 9110), and Bearer a parameter (RFC 6750). Browsers ask for no password because of this one.
  if (status === 401 && !hasHeader("www-authenticate")) headers["www-authenticate"] ??= 'Bearer realm="session"';
  const more = error instanceof Problem ? error.more : {};
  return { status, headers, body: isHtml ? errorPage(status, message) : JSON.stringify({ error: message, ...more }) };
}

/** Whether it was thrown for the client to see, which `expose` says of http-errors and their like. */
function isExpected(error: unknown): boolean {
  const { expose } = Object(error) as { expose?: unknown };
  return error instanceof Problem || error instanceof StoreUnavailable || expose === true;
}

/** Most packages name it `status`, `statusCode` or both. */
function statusOf(error: unknown): number {
  const { status, statusCode } = Object(error) as { status?: unknown; statusCode?: unknown };
  const code = typeof status === "number" ? status : statusCode;
  return typeof code === "number" && Number.isInteger(code) && code >= 400 && code <= 599 ? code : 500;
}

/** Errors of the http-errors kind bring headers along, such as a WWW-Authenticate of their own. */
function headersOf(error: unknown): Record<string, string> {
  const { headers } = Object(error) as { headers?: unknown };
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(Object(headers) as Record<string, unknown>)) {
    if (typeof value === "string") own[name.toLowerCase()] = value;
  }
  removeRepresentation({ remove: (name) => delete own[name] });
  return own;
}

/** A client's mistakes are explained to it. The messages of unexpected errors may name hosts and files: they are logged only. */
function messageOf(error: unknown, status: number): string {
  if (error instanceof StoreUnavailable) return "Sessions are unavailable for the moment. Please try again soon.";
  const { message, expose } = Object(error) as { message?: unknown; expose?: unknown };
  const isPublic = isExpected(error) || (status < 500 && expose !== false);
  if (isPublic && typeof message === "string" && message !== "") return message;
  return status === 500 ? "Something went wrong. The error was logged." : (STATUS_CODES[status] ?? `Error ${status}`);
}
