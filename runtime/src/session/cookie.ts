// The session cookie: its name, its attributes, and how it is read and written.
// Change attributes in config.ts; here is only what must hold for all of their combinations.
import { stringifySetCookie } from "cookie";
import type { SessionSettings } from "./settings.ts";

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

/** Returns all values of that name, in the browser's order. */
export function readCookies(header: string | undefined, name: string): string[] {
  // Most anonymous requests end here.
  if (header === undefined || !header.includes(name)) return [];
  const start = `${name}=`;
  const values: string[] = [];
  for (const cookie of header.split(";")) {
    const pair = cookie.trim();
    if (pair.startsWith(start)) values.push(pair.slice(start.length));
  }
  return values;
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
