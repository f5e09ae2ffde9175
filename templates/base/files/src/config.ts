// Every setting of the app: its name, unit and default, and the environment variable that overrides it.
// Add a setting by a line in Config and a line in readConfig; change a default here.

import { ConfigError, Environment, loadEnvironment, orExit } from "./http/environment.ts";
import { Proxies } from "./session/origin.ts";
import type { SessionSettings } from "./session/settings.ts";
import { readStoreSettings, type StoreSettings } from "./store/settings.ts";

export interface Config {
  /** The address to listen on. 0.0.0.0 means all addresses of this machine. */
  host: string;
  /** The port to listen on. 0 means any free one. */
  port: number;
  /** Whether cookies are always Secure, HTTPS is expected and the demo sign-in is off. */
  production: boolean;
  /** How long to wait at the start for a store that is down, in seconds. */
  startTimeout: number;
  /** auto: what the store lacks is created at start. manual: `npm run sessions -- setup` creates it. */
  setup: "auto" | "manual";
  session: SessionSettings;
  store: StoreSettings;
}

const DAY = 86_400;

/** Reads the environment and .env. A malformed setting prints one line that names it and ends the process. */
export function loadConfig(): Config {
  return orExit(() => readConfig(loadEnvironment()));
}

/** Throws a ConfigError if a setting is malformed. */
export function readConfig(variables: Record<string, string | undefined>): Config {
  const env = new Environment(variables);
  const production = env.text("NODE_ENV", "development") === "production";
  return {
    host: env.text("HOST", "localhost"),
    port: env.integer("PORT", 3000, { max: 65_535 }),
    production,
    startTimeout: env.integer("SESSION_START_TIMEOUT", 30, { max: 3600, unit: "seconds" }),
    setup: env.choice("SESSION_SETUP", "auto", ["auto", "manual"]),
    session: readSessionSettings(env, production),
    store: readStoreSettings(env),
  };
}

function readSessionSettings(env: Environment, production: boolean): SessionSettings {
  const settings: SessionSettings = {
    production,

    // The cookie's name; __Host- or __Secure- is added when the cookie is Secure. Apps on one host need different names:
    // browsers send a cookie to every port of the host.
    name: env.text("SESSION_NAME", "session", {
      isValid: (name) => /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(name) && !/^__(host|secure)-/i.test(name),
      must: "be 1 to 64 letters, digits, - or _, without __Host- or __Secure-",
    }),

    // How long a session lives without a request, in seconds; at most 400 days, as cookies do. A day suits a shop; NIST
    // SP 800-63B-4 asks for at most an hour at AAL2, and 15 minutes at AAL3.
    idle: env.integer("SESSION_IDLE", DAY, { min: 1, max: 400 * DAY, unit: "seconds" }),

    // How long a session lives in any case, in seconds. 0 means without a limit. NIST's limits are 30 days at AAL1, 24
    // hours at AAL2 and 12 hours at AAL3.
    lifetime: env.integer("SESSION_LIFETIME", 30 * DAY, { max: 3650 * DAY, unit: "seconds" }),

    // How often, in seconds, `updated` is written to the store; never less often than every tenth of `idle`.
    touchEvery: env.integer("SESSION_TOUCH_EVERY", 60, { max: DAY, unit: "seconds" }),

    // write: a session starts when something is written to it. visit: a session starts for every visitor, crawlers too.
    start: env.choice("SESSION_START", "write", ["write", "visit"]),

    // How many sessions a user may have at once. 0 means without a limit. A sign-in beyond it ends the oldest session.
    maxPerUser: env.integer("SESSION_MAX_PER_USER", 0, { max: 10_000 }),

    // A domain whose subdomains get the cookie too; unset, it is for this host only. Every host that gets the cookie can
    // set it as well.
    cookieDomain: env.optional("SESSION_COOKIE_DOMAIN", {
      isValid: (domain) => domain.split(".").every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label)),
      must: 'be a domain such as "example.com", without a leading dot',
    }),

    // The path below which the cookie is sent.
    cookiePath: env.text("SESSION_COOKIE_PATH", "/", {
      isValid: (path) => /^\/[\x21-\x3A\x3D-\x7E]*$/.test(path),
      must: 'begin with "/" and contain no space, semicolon or "<"',
    }),

    // auto: the cookie is Secure in production, and wherever the request came by HTTPS.
    cookieSecure: readCookieSecure(env),

    // Keeps the cookie from the page's scripts. Leave it on: a stolen token is a stolen session.
    cookieHttpOnly: env.flag("SESSION_COOKIE_HTTP_ONLY", true),

    // lax: the cookie is sent when someone follows a link to the app, not when another site posts a form. strict: not
    // even by a link. none: always; only for an app inside other sites' frames.
    cookieSameSite: env.choice("SESSION_COOKIE_SAME_SITE", "lax", ["lax", "strict", "none"]),

    // Gives an app inside other sites' frames one cookie for each of those sites; it goes with SameSite=None.
    cookiePartitioned: env.flag("SESSION_COOKIE_PARTITIONED", false),

    // false: the cookie ends with the browser. Its session stays in the store until it expires.
    cookiePersistent: env.flag("SESSION_COOKIE_PERSISTENT", true),

    // Ends a session when its address changes. Off, because phones change theirs many times a day.
    ipAddressLock: env.flag("SESSION_IP_ADDRESS_LOCK", false),

    // Ends a session when its User-Agent changes. Off, because every update of the browser changes it.
    userAgentLock: env.flag("SESSION_USER_AGENT_LOCK", false),

    // How large the data of one session may be, in bytes of JSON. Keep what is large elsewhere.
    maxDataBytes: env.integer("SESSION_MAX_DATA_BYTES", 65_536, { min: 2, max: 16_777_216, unit: "bytes" }),

    // How often expired sessions are deleted, in seconds.
    purgeEvery: env.integer("SESSION_PURGE_EVERY", 3600, { min: 1, max: 7 * DAY, unit: "seconds" }),

    // How long a request waits for the store, in milliseconds. After that its response is 503.
    storeTimeout: env.integer("SESSION_STORE_TIMEOUT", 5000, { min: 10, max: 120_000, unit: "milliseconds" }),

    // Paths, comma-separated, that have nothing to do with sessions; everything below them too.
    skip: env.list("SESSION_SKIP", ["/health"], PATH),

    // The proxies whose X-Forwarded-* headers count: addresses and networks, comma-separated, or how many there are.
    // Unset: none, because anyone could claim any address.
    trustProxy: readTrustProxy(env),

    // Other origins whose pages may send requests that change something, comma-separated; an app's own scheme too, such
    // as capacitor://localhost.
    allowedOrigins: env.list("SESSION_ALLOWED_ORIGINS", [], {
      isValid: isOrigin,
      must: 'list origins such as "https://example.com"',
    }),

    // Paths, comma-separated, to which any other site may post: SAML, form_post and payment returns. Everything below
    // them too. Their handlers have to check by themselves that the request is genuine.
    allowedPaths: env.list("SESSION_ALLOWED_PATHS", [], PATH),
  };
  checkSecure(settings);
  return settings;
}

const PATH = { isValid: (path: string) => path.startsWith("/"), must: 'list paths that begin with "/"' };

function readCookieSecure(env: Environment): boolean | "auto" {
  const choice = env.choice("SESSION_COOKIE_SECURE", "auto", ["auto", "true", "false"]);
  return choice === "auto" ? choice : choice === "true";
}

function readTrustProxy(env: Environment): SessionSettings["trustProxy"] {
  const count = env.optional("SESSION_TRUST_PROXY")?.trim() ?? "";
  if (/^\d{1,2}$/.test(count)) return Number(count);
  const proxies = env.list("SESSION_TRUST_PROXY", [], {
    isValid: isNetwork,
    must: 'be addresses or networks ("10.0.0.0/8"), or a number of proxies',
  });
  return proxies.length === 0 ? undefined : proxies;
}

/** Whether it is an address, with or without a prefix length. */
function isNetwork(text: string): boolean {
  try {
    return /^[^/]+(\/\d{1,3})?$/.test(text) && new Proxies([text]) !== undefined;
  } catch {
    return false;
  }
}

/** Whether browsers or apps send it as their Origin. */
function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.parse(text)?.origin === text;
  return /^[a-z][a-z\d+.-]*:\/\/[a-z\d.-]+(:\d+)?$/.test(text);
}

/** Browsers silently drop some cookies that aren't Secure. */
function checkSecure({ cookieSameSite, cookiePartitioned, cookieSecure, production }: SessionSettings): void {
  if (cookieSecure === true || (cookieSecure === "auto" && production)) return;
  const needs = "needs SESSION_COOKIE_SECURE=true: browsers drop the cookie otherwise.";
  if (cookieSameSite === "none") throw new ConfigError(`SESSION_COOKIE_SAME_SITE=none ${needs}`);
  if (cookiePartitioned) throw new ConfigError(`SESSION_COOKIE_PARTITIONED ${needs}`);
}
