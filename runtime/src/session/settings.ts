// The settings of sessions. config.ts reads them from the environment, and says what each means.
// Add a setting here, then read it there.

export interface SessionSettings {
  name: string;
  /** Seconds. */
  idle: number;
  /** Seconds; 0: no limit. */
  lifetime: number;
  /** Seconds; never more than a tenth of `idle`. */
  touchEvery: number;
  start: "write" | "visit";
  /** 0: no limit. */
  maxPerUser: number;
  cookieDomain: string | undefined;
  cookiePath: string;
  cookieSecure: boolean | "auto";
  cookieHttpOnly: boolean;
  cookieSameSite: "lax" | "strict" | "none";
  cookiePartitioned: boolean;
  /** false: the cookie ends with the browser. */
  cookiePersistent: boolean;
  ipAddressLock: boolean;
  userAgentLock: boolean;
  /** Of JSON text. */
  maxDataBytes: number;
  /** Seconds, give or take half. */
  purgeEvery: number;
  /** Milliseconds. */
  storeTimeout: number;
  skip: readonly string[];
  /** How many proxies there are, or their addresses and networks. */
  trustProxy: number | readonly string[] | undefined;
  /** Besides our own, as "https://app.example.com". */
  allowedOrigins: readonly string[];
  /** Paths to which any other site may post. */
  allowedPaths: readonly string[];
  production: boolean;
}
