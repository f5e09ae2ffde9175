// Every setting of the app: name, unit, default, and the environment variable that overrides it.
// Add a setting: a line in Config, a line in readConfig (README.md, "Add a setting"). Change a default here.

import { ConfigError, Environment, orExit } from "./http/environment.ts";
import { Proxies } from "./session/proxies.ts";
import type { SessionSettings } from "./session/settings.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "./store/settings.ts";

export interface Config {
  host: string;
  port: number;
  /** Cookies are always Secure, HTTPS is expected, the demo sign-in is off. */
  production: boolean;
  /** Seconds to wait at the start for a store that is down. */
  startTimeout: number;
  /** auto: what the store lacks is created at start. manual: by `npm run sessions -- setup`. */
  setup: "auto" | "manual";
  session: SessionSettings;
  store: StoreSettings;
}

const DAY = 86_400;

/** A malformed setting prints one line that names it and ends the process. */
export function loadConfig(): Config {
  return orExit(() => readConfig(process.env));
}

/** Throws a ConfigError where one is malformed. */
export function readConfig(variables: Record<string, string | undefined>): Config {
  const env = new Environment(variables);
  const production = env.text("NODE_ENV", "development") === "production";
  return {
    host: env.text("HOST", "localhost"),
    port: env.integer("PORT", 3000, { max: 65_535 }),
    production,
    startTimeout: env.integer("SESSION_START_TIMEOUT", 30, { max: 3600 }),
    setup: env.choice("SESSION_SETUP", "auto", ["auto", "manual"]),
    session: readSessionSettings(env, production),
    store: readStoreSettings(env),
  };
}

function readSessionSettings(env: Environment, production: boolean): SessionSettings {
  const settings: SessionSettings = {
    production,

    // The cookie's name; __Host- or __Secure- is added when it is Secure.
    name: env.text("SESSION_NAME", "session"),

    // Seconds without a request after which a session ends. At most 400 days, as cookies. A day suits a shop; NIST SP
    // 800-63B-4 asks for at most an hour at AAL2, and 15 minutes at AAL3.
    idle: env.integer("SESSION_IDLE", DAY, { min: 1, max: 400 * DAY }),

    // Seconds after which it ends in any case. 0: never. NIST's limits: 30 days at AAL1, 24 hours at AAL2, 12 at AAL3.
    lifetime: env.integer("SESSION_LIFETIME", 30 * DAY, { max: 3650 * DAY }),

    // Seconds between two notes of "last seen" in the store. At most a tenth of idle; fewer cost writes.
    touchEvery: env.integer("SESSION_TOUCH_EVERY", 60, { max: DAY }),

    // write: a session starts when something is written to it. visit: with every visitor, crawlers too.
    start: env.choice("SESSION_START", "write", ["write", "visit"]),

    // Sessions that a user may have at once. 0: no limit. A sign-in beyond it ends the oldest.
    maxPerUser: env.integer("SESSION_MAX_PER_USER", 0, { max: 10_000 }),

    // A domain whose subdomains get the cookie too. Unset: this host only. Who gets the cookie can set it as well.
    cookieDomain: env.optional("SESSION_COOKIE_DOMAIN"),

    // Where the cookie is sent.
    cookiePath: env.text("SESSION_COOKIE_PATH", "/"),

    // auto: in production always, else where the request came by HTTPS.
    cookieSecure: { auto: "auto" as const, true: true, false: false }[
      env.choice("SESSION_COOKIE_SECURE", "auto", ["auto", "true", "false"])
    ],

    // Out of reach of the page's scripts. Leave it on: a stolen token is a stolen session.
    cookieHttpOnly: env.flag("SESSION_COOKIE_HTTP_ONLY", true),

    // lax: sent when someone follows a link to the app, not when another site posts a form. strict: not even by a link.
    // none: always; only for an app inside other sites' frames.
    cookieSameSite: env.choice("SESSION_COOKIE_SAME_SITE", "lax", ["lax", "strict", "none"]),

    // A cookie of its own for each site that shows the app in a frame (CHIPS). Needs a Secure cookie.
    cookiePartitioned: env.flag("SESSION_COOKIE_PARTITIONED", false),

    // Off: the cookie ends with the browser. The session itself still expires by idle and lifetime.
    cookiePersistent: env.flag("SESSION_COOKIE_PERSISTENT", true),

    // End a session whose address changes. Off: telephones change theirs many times a day.
    ipAddressLock: env.flag("SESSION_IP_ADDRESS_LOCK", false),

    // End a session whose User-Agent changes. Off: every update of the browser changes it.
    userAgentLock: env.flag("SESSION_USER_AGENT_LOCK", false),

    // Bytes of JSON in one session. Keep what is large elsewhere.
    maxDataBytes: env.integer("SESSION_MAX_DATA_BYTES", 65_536, { min: 2, max: 16_777_216 }),

    // Seconds between two rounds of deleting expired sessions.
    purgeEvery: env.integer("SESSION_PURGE_EVERY", 3600, { min: 1, max: 7 * DAY }),

    // Milliseconds that a request waits for the store. Then it is answered with 503.
    storeTimeout: env.integer("SESSION_STORE_TIMEOUT", 5000, { min: 10, max: 120_000 }),

    // Paths, comma-separated, that have nothing to do with sessions; all below them too.
    skip: env.list("SESSION_SKIP", ["/health"]),

    // Proxies whose X-Forwarded-* headers count: addresses, networks, comma-separated; or how many there are. Unset: none.
    // Anyone else could claim any address.
    trustProxy: readTrustProxy(env),

    // Other origins whose pages may send requests that change something, comma-separated.
    allowedOrigins: env.list("SESSION_ALLOWED_ORIGINS", []),

    // Paths, comma-separated, to which any site may send requests (SAML, form_post, payment returns); all below them too.
    allowedPaths: env.list("SESSION_ALLOWED_PATHS", []),
  };
  check(settings);
  return settings;
}

function readTrustProxy(env: Environment): SessionSettings["trustProxy"] {
  const entries = env.list("SESSION_TRUST_PROXY", []);
  if (entries.length === 0) return undefined;
  return /^\d{1,2}$/.test(entries.join()) ? Number(entries[0]) : entries;
}

/** Where a browser would silently drop the cookie, or too much would be trusted. */
function check(settings: SessionSettings): void {
  const { name, cookieDomain, cookiePath, cookieSameSite, cookieSecure, production, trustProxy } = settings;
  if (!/^[\w!#$%&'*+.^`|~-]{1,64}$/.test(name) || /^__(host|secure)-/i.test(name)) {
    throw new ConfigError("SESSION_NAME must be 1 to 64 letters, digits, - or _, without __Host- or __Secure-.");
  }
  if (
    cookieDomain !== undefined &&
    !/^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i.test(cookieDomain)
  ) {
    throw new ConfigError('SESSION_COOKIE_DOMAIN must be a domain such as "example.com", without a leading dot.');
  }
  if (!/^\/[\x21-\x3A\x3D-\x7E]*$/.test(cookiePath)) {
    throw new ConfigError('SESSION_COOKIE_PATH must begin with "/" and hold no space, semicolon or "<".');
  }
  if (cookieSameSite === "none" && !(cookieSecure === true || (cookieSecure === "auto" && production))) {
    throw new ConfigError(
      "SESSION_COOKIE_SAME_SITE=none needs SESSION_COOKIE_SECURE=true: browsers drop it otherwise.",
    );
  }
  for (const path of settings.skip) {
    if (!path.startsWith("/"))
      throw new ConfigError(`SESSION_SKIP must list paths that begin with "/", not "${path}".`);
  }
  for (const proxy of typeof trustProxy === "object" ? trustProxy : []) {
    if (!isNetwork(proxy)) {
      throw new ConfigError(
        `SESSION_TRUST_PROXY must be addresses or networks ("10.0.0.0/8"), or a number of proxies, not "${proxy}".`,
      );
    }
  }
  for (const origin of settings.allowedOrigins) {
    if (!/^https?:/.test(origin) || URL.parse(origin)?.origin !== origin) {
      throw new ConfigError(
        `SESSION_ALLOWED_ORIGINS must list origins such as "https://example.com", not "${origin}".`,
      );
    }
  }
}

/** An address, with or without a prefix length. */
function isNetwork(text: string): boolean {
  try {
    return /^[^/]+(\/\d{1,3})?$/.test(text) && new Proxies([text]) !== undefined;
  } catch {
    return false;
  }
}

export { describeStore };
