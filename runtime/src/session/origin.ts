// Refuses what another site made a browser send (cross-site request forgery), sign-in included.
// Open it for other front ends with `allowedOrigins`, not here.
import type { Proxies, SessionRequest } from "./request.ts";

export class CrossOrigin extends Error {
  override readonly name = "CrossOrigin";
  readonly status = 403;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Throws CrossOrigin. No page can forge Sec-Fetch-Site or Origin; what sends neither is no browser. */
export function refuseForeign(request: SessionRequest, proxies: Proxies, allowed: readonly string[]): void {
  // A WebSocket's handshake is a GET, yet opens a channel to act through.
  if (SAFE.has(request.method) && request.header("upgrade") === undefined) return;
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  if (site === "same-origin" || site === "none") return;
  if (site === undefined && origin === undefined) return;
  if (origin !== undefined && allowed.includes(origin)) return;
  if (site === undefined && isOwn(origin, proxies.host(request))) return;
  throw new CrossOrigin("This request comes from another site");
}

/** "null" is nobody's own. The host is parsed too, since a default port may be named or not. */
function isOwn(origin: string | undefined, host: string | undefined): boolean {
  const own = origin === undefined ? null : URL.parse(origin);
  return own !== null && own.host !== "" && own.host === URL.parse(`${own.protocol}//${host}`)?.host;
}
