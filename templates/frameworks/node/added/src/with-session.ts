// Sessions for a listener of node:http: `request.session` in everything that the listener calls.
// Change here what a client gets when something was thrown, or when its session can't be read or saved.
import { type RequestListener, STATUS_CODES } from "node:http";
import { withSessions } from "./session/adapter.ts";
import { StoreUnavailable } from "./session/contract.ts";
import type { Session } from "./session/session.ts";
import type { Sessions } from "./session/sessions.ts";

declare module "node:http" {
  interface IncomingMessage {
    /** Always there behind withSession. Nothing is stored until it is written to. */
    readonly session: Session;
  }
}

/** Wraps what createServer is given. */
export function withSession(sessions: Sessions, listener: RequestListener): RequestListener {
  return withSessions(
    sessions,
    (exchange) => {
      const { request, response } = exchange;
      Object.defineProperty(request, "session", { configurable: true, get: () => exchange.session });
      return listener(request, response);
    },
    (error, _request, response) => {
      const status = statusOf(error);
      if (status >= 500) console.error(error);
      if (response.headersSent) response.destroy();
      else {
        const headers = error instanceof StoreUnavailable ? error.headers : {};
        response.writeHead(status, { ...headers, "content-type": "text/plain" }).end(STATUS_CODES[status]);
      }
    },
  );
}

/** That of the sessions' own errors, and of others of the http-errors kind. What is no status of an error is 500. */
function statusOf(error: unknown): number {
  const { status } = Object(error) as { status?: unknown };
  return typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
}
