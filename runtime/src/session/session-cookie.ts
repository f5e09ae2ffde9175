// What a response says of the session cookie.
// Change here when the cookie is set, refreshed or cleared; its attributes are in cookie.ts.
import { clearCookie, isSecure, setCookie } from "./cookie.ts";
import type { ResponseHeaders } from "./response-headers.ts";
import { rereadRow } from "./rows.ts";
import type { SessionState } from "./state.ts";
import { equalHashes } from "./token.ts";

/** "refresh" repeats the request's own token, to move the cookie's expiry. */
export type CookieAction = "none" | "clear" | "set" | "refresh";

const INSECURE =
  "The session cookie is Secure, but this request came over plain HTTP, so that browsers will not keep it. " +
  "Behind a proxy that speaks HTTPS, set SESSION_TRUST_PROXY to its address; without one, use HTTPS.";

export function cookieAction({ endedBy, row, tokenIsNew, expiryMoved, options, context }: SessionState): CookieAction {
  if (options.bearer) return "none";
  if (endedBy === "destroyed") return "clear";
  if (endedBy !== undefined || row === undefined) return "none";
  if (tokenIsNew) return "set";
  // The client of an adopted session may not know the token yet, or have a newer one by now.
  if (options.match?.clearCookie !== undefined) return "refresh";
  return expiryMoved && context.settings.cookiePersistent ? "refresh" : "none";
}

/** @param isHttps whether the client speaks HTTPS */
export function writeCookie(
  { row, token, context }: SessionState,
  action: Exclude<CookieAction, "none">,
  isHttps: boolean,
  headers: ResponseHeaders,
): void {
  const { settings, warnOnce, now } = context;
  const secure = isSecure(settings, isHttps);
  if (secure && !isHttps && settings.production) warnOnce(INSECURE);
  if (action === "clear" || row === undefined || token === undefined) {
    headers.appendCookie(clearCookie(settings, secure));
  } else {
    headers.appendCookie(setCookie(settings, secure, token.text, Math.max(0, row.expires - now())));
  }
}

/** Asks the store whether the request's token is still the session's. */
export async function isTokenCurrent({ row, context }: SessionState): Promise<boolean> {
  if (row === undefined) return false;
  try {
    const stored = await rereadRow(context, row.id);
    return stored !== undefined && equalHashes(stored.row.secretHash, row.secretHash);
  } catch {
    // The store is down, as the guard has reported. The next touch refreshes the cookie.
    return false;
  }
}
