// Makes the client for a server, a cluster or Sentinels.
// Change the client's options here.

import { createClient, createCluster, createSentinel, RESP_TYPES } from "redis";
import { StoreUnavailable } from "../session/contract.ts";
import { scripts } from "./scripts.ts";
import type { StoreSettings } from "./settings.ts";

/** What the three kinds of clients have in common. */
export interface Commands {
  /** Fields and values in turns. */
  hGetAll(key: string): Promise<string[]>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  zRange(key: string, from: number, to: number): Promise<string[]>;
  zRem(key: string, members: string[]): Promise<number>;
  unlink(key: string): Promise<number>;
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<{ cursor: string; keys: string[] }>;
  ping(): Promise<unknown>;
  /** The section "memory" of INFO, from every master that can be reached. */
  memoryInfo(): Promise<string[]>;
  createSession(key: string, args: string[]): Promise<number>;
  changeSession(key: string, args: string[]): Promise<string[]>;
  endSession(key: string, args: string[]): Promise<string | null>;
  noteIndexed(key: string, args: string[]): Promise<null>;
  addToIndex(key: string, args: string[]): Promise<number>;
  readIndex(key: string, args: string[]): Promise<string[] | null>;
  completeIndex(key: string, args: string[]): Promise<number>;
}

export interface Client extends Commands {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void | Promise<void>;
  on(event: string, listener: (error: unknown) => void): unknown;
}

/** The wait before the client connects again: longer after each failure, and never the same for two processes. */
const MIN_RECONNECT_MS = 50;
const MAX_RECONNECT_MS = 1000;
const SENTINEL_SCAN_MS = 5000;
const TOPOLOGY_REFRESH_MS = 500;

/** `timeout` in milliseconds. */
export function makeClient({ urls, sentinels }: StoreSettings, timeout: number): Client {
  const [first = ""] = urls;
  const url = new URL(first);
  const connectTimeout = connectTimeoutOf(timeout);
  const socket = { reconnectStrategy, connectTimeout, ...tlsOf(url) };
  // Without a connection a request gets its 503 at once instead of waiting in a queue.
  const node = { disableOfflineQueue: true, maintNotifications: "disabled" as const };
  const commandOptions = {
    // The client's own timeout for commands only covers the time before they are sent.
    timeout: undefined as unknown as number,
    // A list of fields and values is cheaper to make and to walk through than an object of many keys.
    typeMapping: { [RESP_TYPES.MAP]: Array },
  };
  const all = { RESP: 3 as const, scripts, commandOptions };
  if (sentinels.length > 0) {
    const [sentinel] = sentinels.map((text) => new URL(text)) as [URL];
    const client = createSentinel({
      ...all,
      name: decodeURIComponent(url.hostname),
      sentinelRootNodes: sentinels.map((text) => addressOf(text, 26_379)),
      nodeClientOptions: { ...node, ...loginOf(url), socket, database: Number(url.pathname.slice(1)) },
      sentinelClientOptions: { ...loginOf(sentinel), socket: { connectTimeout, ...tlsOf(sentinel) } },
      maxCommandRediscovers: 1,
      scanInterval: SENTINEL_SCAN_MS,
    });
    return Object.assign(client, { memoryInfo: async () => [await client.info("memory")] });
  }
  if (urls.length > 1) {
    const cluster = createCluster({
      ...all,
      // A third leaves time to ask the next node when one hangs.
      rootNodes: urls.map((text) => ({ socket: { ...addressOf(text, 6379), socketTimeout: timeout / 3 } })),
      defaults: { ...node, ...loginOf(url), socket },
      // A node that is down then doesn't keep the others from serving.
      minimizeConnections: true,
      topologyRefreshOnReconnectionAttemptStrategy: TOPOLOGY_REFRESH_MS,
    });
    const onEachMaster = <Reply>(ask: (client: MasterClient) => Promise<Reply>) =>
      cluster.masters.map(async (master) => ask(await cluster.nodeClient(master)));
    return Object.assign(cluster, {
      ping: () => firstToSucceed(onEachMaster(checkClusterState)),
      memoryInfo: () => allThatSucceed(onEachMaster((client) => client.info("memory"))),
    });
  }
  const client = createClient({ ...all, ...node, url: first, socket });
  return Object.assign(client, { memoryInfo: async () => [await client.info("memory")] });
}

/** Less than a request may take, so that its error can say that it was the connecting which failed. */
function connectTimeoutOf(timeout: number): number {
  return timeout * 0.8;
}

/** For the network and the first words together. */
export function handshakeTimeoutOf(timeout: number): number {
  return timeout * 0.9;
}

interface MasterClient {
  clusterInfo(): Promise<string>;
  info(section: string): Promise<string>;
}

async function checkClusterState(client: MasterClient): Promise<void> {
  const state = await client.clusterInfo();
  if (!/cluster_state:ok/.test(state)) throw new StoreUnavailable("The cluster's state is not ok");
}

/** One node is enough for a cluster to be up: a node that is down only costs its own sessions a 503. */
async function firstToSucceed(asked: Promise<void>[]): Promise<void> {
  await Promise.any(asked).catch((error: AggregateError) => Promise.reject(error.errors[0]));
}

/** Rejects if none does. */
async function allThatSucceed<Reply>(asked: Promise<Reply>[]): Promise<Reply[]> {
  const results = await Promise.allSettled(asked);
  const replies = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (replies.length === 0) await Promise.all(asked);
  return replies;
}

function reconnectStrategy(retries: number): number {
  const wait = Math.min(MIN_RECONNECT_MS * 2 ** Math.min(retries, 5), MAX_RECONNECT_MS);
  return wait * (0.5 + Math.random() / 2);
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

function addressOf(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || defaultPort) };
}
