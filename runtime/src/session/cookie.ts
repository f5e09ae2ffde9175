// The session cookie: name, attributes, and the caching headers that go with it.
// Change attributes in config.ts; here only what must hold for every one of them.
import { stringifySetCookie } from "cookie";
import type { SessionSettings } from "./settings.ts";

/** Of a framework's response. */
export interface ResponseHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Adds a Set-Cookie header; those of others stay. */
  appendCookie(value: string): void;
}

/** On HTTPS, and in production always: a cookie in the clear is a session given away. */
export function isSecure(settings: SessionSettings, encrypted: boolean): boolean {
  return settings.cookieSecure === "auto" ? encrypted || settings.production : settings.cookieSecure;
}

/** `__Host-`: no subdomain and no plain-HTTP answer can plant one. */
export function cookieName(settings: SessionSettings, secure: boolean): string {
  if (!secure) return settings.name;
  const hostOnly = settings.cookieDomain === undefined && settings.cookiePath === "/";
  return `${hostOnly ? "__Host-" : "__Secure-"}${settings.name}`;
}

/** All values of that name, in the browser's order. */
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

/** @param maxAge seconds; 0 removes the cookie */
export function setCookie(settings: SessionSettings, secure: boolean, token: string, maxAge: number): string {
  return stringifySetCookie({
    name: cookieName(settings, secure),
    value: token,
    maxAge,
    httpOnly: settings.cookieHttpOnly,
    secure,
    sameSite: settings.cookieSameSite,
    path: settings.cookiePath,
    domain: settings.cookieDomain,
  });
}

/** What `sendFile` sets by itself. */
const UNSAID = "public, max-age=0";

/** Keeps an answer out of shared caches. What a handler has set stays, but an answer with a token is never public. */
export function keepPrivate(headers: ResponseHeaders, carriesToken: boolean): void {
  const control = headers.get("cache-control");
  if (control === undefined || control === UNSAID) headers.set("cache-control", carriesToken ? "no-store" : "private");
  else if (carriesToken && !/\b(private|no-store)\b/i.test(control)) {
    const own = control.split(",").filter((directive) => !/^\s*(public|s-maxage|proxy-revalidate)\b/i.test(directive));
    headers.set("cache-control", ["private", ...own.map((directive) => directive.trim())].join(", "));
  }
  const vary = headers.get("vary");
  if (vary === undefined) headers.set("vary", "Cookie");
  else if (!/(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary)) headers.set("vary", `${vary}, Cookie`);
}
