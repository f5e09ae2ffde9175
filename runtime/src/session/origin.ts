// Refuses unsafe requests that another site made a browser send (cross-site request forgery), sign-in included.
// Open it with the settings `allowedOrigins` and `allowedPaths`, not here.
import type { Proxies } from "./proxies.ts";
import { isBelow, type SessionRequest } from "./request.ts";
import type { SessionSettings } from "./settings.ts";

export class CrossOrigin extends Error {
  override readonly name = "CrossOrigin";
  readonly status = 403;
  readonly statusCode = 403;
  readonly origin: string | undefined;
  readonly host: string | undefined;

  constructor(origin: string | undefined, host: string | undefined) {
    const from = origin === undefined ? "another site" : JSON.stringify(origin);
    super(
      `This request comes from ${from}, not from ${JSON.stringify(host ?? "")}. ` +
        "SESSION_ALLOWED_ORIGINS can allow the origin, SESSION_ALLOWED_PATHS the path.",
    );
    this.origin = origin;
    this.host = host;
  }
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Throws CrossOrigin. No page can forge Sec-Fetch-Site or Origin, and a client that sends neither is no browser. */
export function rejectCrossOrigin(request: SessionRequest, proxies: Proxies, settings: SessionSettings): void {
  // The handshake of a WebSocket is a GET, but opens a channel through which a page can act.
  if (SAFE_METHODS.has(request.method) && request.header("upgrade") === undefined) return;
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  if (site === "same-origin" || site === "none") return;
  if (site === undefined && origin === undefined) return;
  if (origin !== undefined && settings.allowedOrigins.includes(origin)) return;
  if (isBelow(request, settings.allowedPaths)) return;
  const host = proxies.host(request);
  if (site === undefined && isOwn(origin, host)) return;
  throw new CrossOrigin(origin, host);
}

/** The host is parsed too, since a default port may be named or not. The origin "null" is nobody's own. */
function isOwn(origin: string | undefined, host: string | undefined): boolean {
  const own = origin === undefined ? null : URL.parse(origin);
  return own !== null && own.host !== "" && own.host === URL.parse(`${own.protocol}//${host}`)?.host;
}
