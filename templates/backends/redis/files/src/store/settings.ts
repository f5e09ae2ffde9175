// The settings of Redis. src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import { ConfigError, type Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** One URL is that of a server; several are those of a cluster's nodes. */
  urls: string[];
  /** If there are any, the host in `urls[0]` is the name of the master group. */
  sentinels: string[];
  /** What the names of all keys begin with. */
  prefix: string;
}

export function readStoreSettings(env: Environment): StoreSettings {
  const urls = env.list("REDIS_URL", ["redis://localhost:6379"]);
  const sentinels = env
    .list("REDIS_SENTINELS", [])
    .map((entry) => (entry.includes("://") ? entry : `redis://${entry}`));
  const prefix = env.text("REDIS_PREFIX", "sessions");
  for (const url of urls) checkUrl("REDIS_URL", url, urls.length > 1 ? /^\/?0?$/ : /^\/?\d{0,4}$/);
  for (const url of sentinels) checkUrl("REDIS_SENTINELS", url, /^\/?$/);
  if (urls.length === 0) throw new ConfigError("REDIS_URL must be a URL such as redis://localhost:6379.");
  if (sentinels.length > 0 && (urls.length > 1 || urls[0]?.startsWith("unix:"))) {
    throw new ConfigError("REDIS_URL must be one URL with the master group's name: redis://user:password@mymaster");
  }
  // Without braces, which would decide on which node of a cluster a key is kept, and without a pattern, since SCAN looks for the prefix.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,62}$/.test(prefix)) {
    throw new ConfigError(
      "REDIS_PREFIX must be at most 63 letters, digits, _, ., : and -, and begin with one of the first three.",
    );
  }
  return { urls, sentinels, prefix };
}

/** Its errors never show the value, which may hold a password. */
function checkUrl(name: string, text: string, path: RegExp): void {
  const url = URL.parse(text);
  const remote = url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== "" && path.test(url.pathname);
  if (!remote && !(url?.protocol === "unix:" && url.pathname.length > 1 && name === "REDIS_URL")) {
    throw new ConfigError(
      `${name} must hold URLs like redis://user:password@host:6379, rediss:// for TLS` +
        ` (a cluster has no other database than 0); special characters in a password are percent-encoded.`,
    );
  }
  if (/%(?![0-9a-f]{2})/i.test(url.username + url.password)) {
    throw new ConfigError(`${name}: a "%" in a name or password is written %25.`);
  }
}

/** For messages. Never shows a password. */
export function describeStore({ urls, sentinels }: StoreSettings): string {
  const [first = ""] = urls.map(placeOf);
  if (sentinels.length > 0)
    return `Redis master "${first.split(/[:/]/)[0]}" by Sentinels ${sentinels.map(placeOf).join(", ")}`;
  return urls.length > 1 ? `Redis Cluster at ${urls.map(placeOf).join(", ")}` : `Redis at ${first}`;
}

function placeOf(text: string): string {
  const { protocol, hostname, port, pathname } = new URL(text);
  if (protocol === "unix:") return pathname;
  return `${hostname}${port && `:${port}`}${pathname.replace(/\/0?$/, "")}`;
}
