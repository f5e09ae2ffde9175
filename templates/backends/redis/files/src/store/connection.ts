// The connection to a server, a cluster or Sentinels: every use of it ends in time, and it heals by itself.
// Change the client's options in `connectTo`.

import { createClient, createCluster, createSentinel } from "redis";
import { StoreUnavailable } from "../session/contract.ts";
import { asStoreError, meansDemoted, meansUnreachable, TimedOut } from "./errors.ts";
import { scripts } from "./scripts.ts";
import type { StoreSettings } from "./settings.ts";

/** Common to the three kinds of clients. */
export interface Commands {
  hGetAll(key: string): Promise<Record<string, string>>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  zRange(key: string, from: number, to: number): Promise<string[]>;
  zRem(key: string, members: string[]): Promise<number>;
  unlink(key: string): Promise<number>;
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<{ cursor: string; keys: string[] }>;
  ping(): Promise<unknown>;
  createSession(key: string, args: string[]): Promise<number>;
  changeSession(key: string, args: string[]): Promise<string[]>;
  endSession(key: string, args: string[]): Promise<string | null>;
  indexSession(key: string, args: string[]): Promise<null>;
  noteIndexed(key: string, args: string[]): Promise<null>;
}

interface Client extends Commands {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void | Promise<void>;
  on(event: string, listener: (error: unknown) => void): unknown;
}

interface Link {
  client: Client;
  since: number;
  /** The first attempt to connect has succeeded or failed; never rejects. */
  attempted: Promise<void>;
  failure: unknown;
  retired: boolean;
}

export class RedisConnection {
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  #link: Link;
  /** Takes over from `#link` as soon as it is connected. */
  #spare: Link | undefined;
  #closed = false;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#link = this.#open();
  }

  /** Does `work`, several commands perhaps, within the timeout. */
  async run<Result>(work: (commands: Commands) => Promise<Result>): Promise<Result> {
    const link = this.#link;
    try {
      if (this.#closed) throw new StoreUnavailable("The connection to Redis is closed");
      return await within(this.#timeout, async () => {
        await link.attempted;
        if (!link.client.isReady) throw link.failure ?? new StoreUnavailable("The connection to Redis was lost");
        return await work(link.client);
      });
    } catch (error) {
      if (meansUnreachable(error)) this.#doubt(link, this.#timeout);
      if (meansDemoted(error)) this.#doubt(link, this.#timeout / 10);
      throw asStoreError(error, link.failure, this.#settings);
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of [this.#link, this.#spare]) if (link) this.#retire(link);
  }

  /**
   * The client reconnects by itself, but waits for ever where the other end has silently gone, and stays with a master
   * that has become a replica. So another one takes over, unless the one in doubt is younger than `grace` (milliseconds).
   */
  #doubt(link: Link, grace: number): void {
    const age = (of: Link) => performance.now() - of.since;
    if (this.#closed || link !== this.#link || age(link) < grace) return;
    if (this.#spare && age(this.#spare) < 2 * this.#timeout) return;
    if (this.#spare) this.#retire(this.#spare);
    this.#spare = this.#open();
  }

  #takeOver(link: Link): void {
    if (this.#closed || link !== this.#spare) return;
    const before = this.#link;
    this.#link = link;
    this.#spare = undefined;
    link.since = performance.now();
    // What still runs on the old one may yet succeed.
    setTimeout(() => this.#retire(before), this.#timeout).unref();
  }

  #open(): Link {
    const client: Client = connectTo(this.#settings, this.#timeout);
    const { promise, resolve } = Promise.withResolvers<void>();
    const link: Link = { client, since: performance.now(), attempted: promise, failure: undefined, retired: false };
    const failed = (error: unknown) => {
      link.failure = error;
      // The others go on to the next node; `connect` tells when none was left.
      if (this.#settings.urls.length === 1 && this.#settings.sentinels.length === 0) resolve();
    };
    client.on("error", failed);
    client.on("node-error", failed);
    client.on("client-error", (event) => failed((event as { error: unknown }).error));
    for (const event of ["ready", "node-ready"]) client.on(event, () => (link.failure = undefined));
    void this.#connect(link, resolve).then(() => this.#takeOver(link));
    return link;
  }

  /** Again and again: the clients of clusters and Sentinels give up when they find no node. */
  async #connect(link: Link, attempted: () => void): Promise<void> {
    for (let wait = 50; !link.retired && !this.#closed; wait = Math.min(wait * 2, 1000)) {
      try {
        return void (await link.client.connect().finally(attempted));
      } catch (error) {
        // Why has come as an event before.
        link.failure ??= error;
        await new Promise((resume) => setTimeout(resume, wait).unref());
      }
    }
  }

  #retire(link: Link): void {
    link.retired = true;
    void link.client.destroy();
  }
}

function connectTo({ urls, sentinels }: StoreSettings, timeout: number): Client {
  const backoff = (retries: number) => Math.min(50 * 2 ** Math.min(retries, 5), 1000) * (0.5 + Math.random() / 2);
  const [first = ""] = urls;
  const url = new URL(first);
  // Less than a request's own limit, so that its message can say that it was the connecting.
  const connectTimeout = timeout * 0.8;
  const socket = { reconnectStrategy: backoff, connectTimeout, ...tlsOf(url) };
  // Without a connection the visitor gets a 503 at once.
  const node = { disableOfflineQueue: true, maintNotifications: "disabled" as const };
  // The client's own timeout covers only the time before sending; `within` covers all of it.
  const all = { RESP: 3 as const, scripts, commandOptions: { timeout: undefined } };
  if (sentinels.length > 0) {
    const sentinel = new URL(sentinels[0] ?? "");
    return createSentinel({
      ...all,
      name: decodeURIComponent(url.hostname),
      sentinelRootNodes: sentinels.map((url) => address(url, 26_379)),
      nodeClientOptions: { ...node, ...loginOf(url), socket, database: Number(url.pathname.slice(1)) },
      sentinelClientOptions: {
        ...loginOf(sentinel),
        socket: { connectTimeout, ...tlsOf(sentinel) },
      },
      maxCommandRediscovers: 1,
      scanInterval: 5000,
    });
  }
  if (urls.length > 1) {
    const cluster = createCluster({
      ...all,
      // Leaves time to ask the next node when one hangs.
      rootNodes: urls.map((url) => ({ socket: { ...address(url, 6379), socketTimeout: timeout / 3 } })),
      defaults: { ...node, ...loginOf(url), socket },
      // A node that is down doesn't keep the others from serving.
      minimizeConnections: true,
      topologyRefreshOnReconnectionAttemptStrategy: 500,
    });
    return Object.assign(cluster, { ping: () => pingCluster(cluster) });
  }
  return createClient({ ...all, ...node, url: first, socket });
}

/** One node's word is enough: a dead one costs only its own sessions a 503. */
async function pingCluster<Node>(cluster: {
  masters: Node[];
  nodeClient(node: Node): Promise<{ clusterInfo(): Promise<string> }>;
}): Promise<void> {
  const asked = cluster.masters.map(async (node) => {
    const state = await (await cluster.nodeClient(node)).clusterInfo();
    if (!/cluster_state:ok/.test(state)) throw new StoreUnavailable("The cluster's state is not ok");
  });
  await Promise.any(asked).catch((error: AggregateError) => Promise.reject(error.errors[0]));
}

function loginOf({ username, password }: URL): { username?: string; password?: string } {
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

function tlsOf({ protocol }: URL): { tls?: true } {
  return protocol === "rediss:" ? { tls: true } : {};
}

function address(url: string, fallback: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || fallback) };
}

async function within<Result>(timeout: number, work: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`no answer within ${timeout} ms`)), timeout);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
