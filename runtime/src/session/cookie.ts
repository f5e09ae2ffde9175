// The session cookie: its name, its attributes, and when a response sets, refreshes or clears it.
// Change attributes in config.ts; here is only what must hold for all of their combinations.
import { stringifySetCookie } from "cookie";
import { rereadRow } from "./find.ts";
import type { ResponseHeaders } from "./response-headers.ts";
import type { SessionSettings } from "./settings.ts";
import type { SessionState } from "./state.ts";
import { equalHashes } from "./token.ts";

/** "refresh" repeats the request's own token, to move the cookie's expiry. */
export type CookieAction = "none" | "clear" | "set" | "refresh";

const INSECURE =
  "The session cookie is Secure, but this request came over plain HTTP, so that browsers will not keep it. " +
  "Behind a proxy that speaks HTTPS, set SESSION_TRUST_PROXY to its address; without one, use HTTPS.";

/** Whether the cookie is Secure: on HTTPS, and in production always, since a cookie in the clear can be stolen. */
export function isSecure(settings: SessionSettings, isHttps: boolean): boolean {
  return settings.cookieSecure === "auto" ? isHttps || settings.production : settings.cookieSecure;
}

/** With the prefix `__Host-`, no subdomain and no response over plain HTTP can plant a cookie of this name. */
export function cookieName(settings: SessionSettings, secure: boolean): string {
  if (!secure) return settings.name;
  const hostOnly = settings.cookieDomain === undefined && settings.cookiePath === "/";
  return `${hostOnly ? "__Host-" : "__Secure-"}${settings.name}`;
}

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

/** The value of a Set-Cookie header. @param maxAge seconds; without effect unless `cookiePersistent` is set */
export function setCookie(settings: SessionSettings, secure: boolean, token: string, maxAge: number): string {
  return stringifySetCookie({
    ...attributes(settings, secure),
    value: token,
    ...(settings.cookiePersistent && { maxAge }),
  });
}

/** The value of a Set-Cookie header that removes the cookie. */
export function clearCookie(settings: SessionSettings, secure: boolean): string {
  return stringifySetCookie({ ...attributes(settings, secure), value: "", maxAge: 0 });
}

function attributes(settings: SessionSettings, secure: boolean) {
  return {
    name: cookieName(settings, secure),
    httpOnly: settings.cookieHttpOnly,
    secure,
    sameSite: settings.cookieSameSite,
    path: settings.cookiePath,
    ...(settings.cookieDomain !== undefined && { domain: settings.cookieDomain }),
    // Browsers drop a partitioned cookie that isn't Secure, such as in development over plain HTTP.
    partitioned: settings.cookiePartitioned && secure,
  };
}
