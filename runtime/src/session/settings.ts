// The settings of sessions and their defaults. config.ts reads them from the environment.
// Change a default there, not here; add a setting here, then read it there.

export interface SessionSettings {
  /** Name of the cookie. Gets the prefix `__Host-` or `__Secure-` when the cookie is Secure. */
  name: string;
  /** Seconds without an access after which a session expires. */
  idle: number;
  /** Seconds after its start in which a session expires at the latest. 0: no such limit. */
  lifetime: number;
  /** Seconds between two writes of the last access; never more than a tenth of `idle`. */
  touchEvery: number;
  /** "write": a session starts when a handler first writes to it. "visit": with every visit. */
  start: "write" | "visit";
  /** Sessions a user may have; signing in beyond it ends the oldest. 0: no limit. */
  maxPerUser: number;
  /** Set it to share the cookie with subdomains: weaker, since each of them can then set it. */
  cookieDomain: string | undefined;
  cookiePath: string;
  /** "auto": on HTTPS, and always in production. */
  cookieSecure: boolean | "auto";
  cookieHttpOnly: boolean;
  cookieSameSite: "lax" | "strict" | "none";
  /** A request from another address than the first one's ends the session. */
  ipAddressLock: boolean;
  /** A request with another User-Agent than the first one's ends the session. */
  userAgentLock: boolean;
  /** The most bytes of JSON text that a session's data may have. */
  maxDataBytes: number;
  /** Seconds between two purges of expired sessions, give or take half. */
  purgeEvery: number;
  /** Milliseconds until a store that doesn't answer counts as down. */
  storeTimeout: number;
  /** Paths (and what is below them) that never read, start or touch a session. */
  skip: readonly string[];
  /** Whose X-Forwarded-* headers count: how many proxies there are, or their addresses and networks. */
  trustProxy: number | readonly string[] | undefined;
  /** Origins ("https://app.example.com") besides our own that may send unsafe requests. */
  allowedOrigins: readonly string[];
  production: boolean;
}

export const defaults: SessionSettings = {
  name: "session",
  idle: 86_400,
  lifetime: 30 * 86_400,
  touchEvery: 60,
  start: "write",
  maxPerUser: 0,
  cookieDomain: undefined,
  cookiePath: "/",
  cookieSecure: "auto",
  cookieHttpOnly: true,
  cookieSameSite: "lax",
  ipAddressLock: false,
  userAgentLock: false,
  maxDataBytes: 65_536,
  purgeEvery: 3_600,
  storeTimeout: 5_000,
  skip: ["/health"],
  trustProxy: undefined,
  allowedOrigins: [],
  production: false,
};
