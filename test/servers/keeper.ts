// The process that owns the test servers: it starts them on demand, and ends them when the process that started it has ended.
// Change it to add a kind of server to the list, or an action on one.

import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { couchdb } from "./couchdb.ts";
import { mariadb } from "./mariadb.ts";
import { mongodb } from "./mongodb.ts";
import { mysql } from "./mysql.ts";
import { pgbouncer, pgbouncerNewest } from "./pgbouncer.ts";
import { postgres, postgres15 } from "./postgres.ts";
import { type Recipe, type ServerPlan, Unavailable } from "./recipe.ts";
import { redis, redisCluster } from "./redis.ts";
import { Unit } from "./unit.ts";

const recipes = {
  postgres,
  postgres15,
  pgbouncer,
  "pgbouncer-newest": pgbouncerNewest,
  mariadb,
  mysql,
  redis,
  "redis-cluster": redisCluster,
  couchdb,
  mongodb,
} satisfies Record<string, Recipe>;

export type ServerName = keyof typeof recipes;

/** What a test can tell the keeper to do. */
export type Order =
  | { action: "start"; name: ServerName; shared: boolean; durable: boolean }
  | { action: "stop"; id: string }
  | { action: "pause" | "resume" | "kill" | "restart"; id: string; unit?: number };

export interface Started {
  id: string;
  url: string;
  nodes?: string[];
  keepsData: boolean;
}

export type Reply = { started: Started } | { done: true } | { unavailable: string } | { error: string };

interface Server {
  folder: string;
  plan: ServerPlan;
  units: Unit[];
}

const home = await mkdtemp(join(tmpdir(), "session-servers-"));
// The servers run as the user nobody, who has to be able to reach their folders.
await chmod(home, 0o711);
const servers = new Map<string, Server>();
const shared = new Map<ServerName, Promise<Reply>>();
const complained = new Set<string>();
let count = 0;
let ending = false;

async function start(name: ServerName, durable: boolean): Promise<Reply> {
  const recipe: Recipe | undefined = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (!recipe) return { error: `there is no server called ${name}; there are ${Object.keys(recipes).join(", ")}` };
  count += 1;
  const id = `${name}-${count}`;
  const folder = join(home, id);
  await mkdir(folder, { mode: 0o711 });
  try {
    const plan = await recipe.plan(folder, { durable });
    const server = { folder, plan, units: plan.units.map((unit) => new Unit(unit)) };
    servers.set(id, server);
    for (const unit of server.units) await unit.start();
    await plan.settle?.();
    const { url, nodes, keepsData } = plan;
    return { started: { id, url, ...(nodes && { nodes }), keepsData } };
  } catch (error) {
    await remove(id, folder);
    if (!(error instanceof Unavailable)) return { error: `${name}: ${(error as Error).message}` };
    if (!complained.has(name)) console.error(`test servers: no ${name}: ${error.message}`);
    complained.add(name);
    return { unavailable: error.message };
  }
}

async function remove(id: string, folder: string): Promise<void> {
  // In reverse order, since the last one may depend on the others.
  for (const unit of servers.get(id)?.units.reverse() ?? []) await unit.kill();
  servers.delete(id);
  await rm(folder, { recursive: true, force: true });
}

async function obey(order: Order): Promise<Reply> {
  if (order.action === "start") {
    if (!order.shared) return start(order.name, order.durable);
    const reply = shared.get(order.name) ?? start(order.name, order.durable);
    shared.set(order.name, reply);
    return reply;
  }
  const server = servers.get(order.id);
  if (!server) return { error: `${order.id} isn't running` };
  if (order.action === "stop") {
    for (const unit of [...server.units].reverse()) await unit.stop();
    await remove(order.id, server.folder);
    return { done: true };
  }
  const units = order.unit === undefined ? server.units : server.units.slice(order.unit, order.unit + 1);
  if (units.length === 0) return { error: `${order.id} has no unit ${order.unit}` };
  if (order.action === "restart") {
    for (const unit of [...units].reverse()) await unit.stop();
    for (const unit of units) await unit.start();
  } else {
    for (const unit of units) await unit[order.action]();
  }
  return { done: true };
}

const desk = createServer(async (request, response) => {
  let reply: Reply;
  try {
    reply = await obey(JSON.parse(await text(request)) as Order);
  } catch (error) {
    reply = { error: (error as Error).message };
  }
  response.end(JSON.stringify(reply));
});

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  desk.close();
  await Promise.all([...servers].map(([id, { folder }]) => remove(id, folder)));
  await rm(home, { recursive: true, force: true });
  process.exit(0);
}

// Standard input is a pipe from the process that started the keeper; it closes however that process ends.
process.stdin.on("end", end).on("error", end).resume();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);

const socket = join(home, "keeper");
desk.listen(socket, () => console.log(socket));
