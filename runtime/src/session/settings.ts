// The settings of sessions. config.ts reads them from the environment and explains each.
// Add a setting here, then read it there.

export interface SessionSettings {
  /** The cookie's name, without the prefix that a Secure cookie gets. */
  name: string;
  /** Seconds without a request after which a session expires. */
  idle: number;
  /** Seconds after which a session expires in any case; 0 for no limit. */
  lifetime: number;
  /** Seconds between two writes of `updated`; never more than a tenth of `idle`. */
  touchEvery: number;
  start: "write" | "visit";
  /** How many sessions a user may have at once; 0 for no limit. */
  maxPerUser: number;
  cookieDomain: string | undefined;
  cookiePath: string;
  cookieSecure: boolean | "auto";
  cookieHttpOnly: boolean;
  cookieSameSite: "lax" | "strict" | "none";
  /** Gives an app inside other sites' frames a cookie of its own for each of those sites. */
  cookiePartitioned: boolean;
  /** False for a cookie that ends with the browser; the session itself still expires by `idle` and `lifetime`. */
  cookiePersistent: boolean;
  ipAddressLock: boolean;
  userAgentLock: boolean;
  /** The size of `data` as JSON text. */
  maxDataBytes: number;
  /** Seconds between two purges, give or take half. */
  purgeEvery: number;
  /** Milliseconds that a request waits for the store. */
  storeTimeout: number;
  /** Paths without sessions, with everything below them. */
  skip: readonly string[];
  /** How many proxies there are, or their addresses and networks. */
  trustProxy: number | readonly string[] | undefined;
  /** Origins besides our own that may send unsafe requests, such as "https://app.example.com" or "capacitor://localhost". */
  allowedOrigins: readonly string[];
  /** Paths, with everything below them, to which any site may send unsafe requests (SAML, `form_post`, payment returns). */
  allowedPaths: readonly string[];
  production: boolean;
}
