// The settings of sessions and their defaults. config.ts reads them from the environment.
// Change a default there, not here; add a setting here, then read it there.

export interface SessionSettings {
  /** The cookie's, without `__Host-` or `__Secure-`. */
  name: string;
  /** Seconds without an access until a session expires. */
  idle: number;
  /** Seconds until it expires in any case. 0: never. */
  lifetime: number;
  /** Seconds between two writes of the last access; never more than a tenth of `idle`. */
  touchEvery: number;
  /** "write": a session starts when a handler first writes to it. "visit": with every visit. */
  start: "write" | "visit";
  /** Sessions a user may have; signing in beyond it ends the oldest. 0: no limit. */
  maxPerUser: number;
  /** Shares the cookie with subdomains, each of which can then set it. */
  cookieDomain: string | undefined;
  cookiePath: string;
  /** "auto": on HTTPS, and always in production. */
  cookieSecure: boolean | "auto";
  cookieHttpOnly: boolean;
  cookieSameSite: "lax" | "strict" | "none";
  /** Another address than the first one's ends the session. */
  ipAddressLock: boolean;
  /** Another User-Agent than the first one's ends the session. */
  userAgentLock: boolean;
  /** Of a session's data as JSON text. */
  maxDataBytes: number;
  /** Seconds between two purges, give or take half. */
  purgeEvery: number;
  /** Milliseconds until a silent store counts as down. */
  storeTimeout: number;
  /** Paths, and all below them, without sessions. */
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
