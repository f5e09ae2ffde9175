// Turns whatever a handler throws into an answer: a page for browsers, JSON `{ error }` for everyone else.
// Change here what clients are told about a failure.
import { errorPage } from "./error-page.ts";

/** For handlers to throw. What is in `more` joins `error` in the JSON. */
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

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** `accept` is the request's Accept header; unexpected errors go to `log`. */
export function answerTo(error: unknown, accept: string | undefined, log: (error: unknown) => void): Answer {
  const status = statusOf(error);
  if (status === 500) log(error);
  const message = messageOf(error, status);
  const more = error instanceof Problem ? error.more : {};
  const html = /\btext\/html\b/i.test(accept ?? "");
  return {
    status,
    headers: {
      "Content-Type": html ? "text/html; charset=utf-8" : "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      Vary: "Accept",
      ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
      ...(status === 503 && { "Retry-After": String(retryAfter(error)) }),
    },
    body: html ? errorPage(status, message) : JSON.stringify({ error: message, ...more }),
  };
}

/** The status that the error names, if a client may see it. */
function statusOf(error: unknown): number {
  const { status, statusCode } = Object(error) as { status?: unknown; statusCode?: unknown };
  const code = typeof status === "number" ? status : statusCode;
  if (typeof code !== "number" || !Number.isInteger(code)) return 500;
  return (code >= 400 && code < 500) || code === 501 || code === 503 ? code : 500;
}

/** Errors of a client's making explain themselves; others may name hosts and files. */
function messageOf(error: unknown, status: number): string {
  if (status === 500) return "Something went wrong here; it has been noted.";
  if (status === 503 && !(error instanceof Problem))
    return "Sessions are unavailable for the moment. Please try again soon.";
  return error instanceof Error && error.message !== "" ? error.message : `Error ${status}`;
}

function retryAfter(error: unknown): number {
  const seconds = (error as { retryAfter?: unknown }).retryAfter;
  return typeof seconds === "number" ? seconds : 5;
}
