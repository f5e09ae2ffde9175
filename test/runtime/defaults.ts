// The settings of sessions as config.ts has them when the environment is silent, for tests without it.
// Change a default there first.
import type { SessionSettings } from "../../runtime/src/session/settings.ts";

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
  cookiePartitioned: false,
  cookiePersistent: true,
  ipAddressLock: false,
  userAgentLock: false,
  maxDataBytes: 65_536,
  purgeEvery: 3_600,
  storeTimeout: 5_000,
  skip: ["/health"],
  trustProxy: undefined,
  allowedOrigins: [],
  allowedPaths: [],
  production: false,
};
