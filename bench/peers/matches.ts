// Who is measured against whom: ours against each of the others, by route, with the ratio that is aimed at.
// Add a framework, a store or a contender here.

export interface Match {
  framework: string;
  backend: string;
  /** By route and contender; NO_AIM where there is none. */
  routes: Record<string, Record<string, number>>;
  /** Requests of each server that are not measured. */
  warmUp: number;
  /** Requests in one round of CPU time. */
  requests: number;
  /** Requests per second at which latency is measured, the same for all: far below what the slowest can do. */
  rate: number;
}

/** For what a reader needs to judge the others. */
export const NO_AIM = 0;

const IN_MEMORY = { warmUp: 40_000, requests: 2000, rate: 1000 };
const IN_A_SERVER = { warmUp: 40_000, requests: 2000, rate: 500 };
/** Not the product itself, and slow. */
export const IN_A_STAND_IN = { warmUp: 20_000, requests: 600, rate: 200 };

export const MATCHES: Match[] = [
  {
    framework: "express",
    backend: "memory",
    routes: {
      anonymous: { bare: 0.95, "empty middleware": NO_AIM, "express-session": 1 },
      read: { bare: 0.8, "by hand": 0.8, "express-session": 2 },
      write: { "by hand": NO_AIM, "express-session": 1.5 },
    },
    ...IN_MEMORY,
  },
  {
    framework: "fastify",
    backend: "memory",
    routes: {
      anonymous: { bare: 0.95, "empty middleware": NO_AIM },
      read: { "@fastify/session": 2 },
      write: { "@fastify/session": 1.5 },
    },
    ...IN_MEMORY,
  },
  {
    framework: "hono",
    backend: "memory",
    routes: {
      anonymous: { bare: 0.95, "empty middleware": NO_AIM },
      read: { "hono-sessions": 2 },
      write: { "hono-sessions": 1.5 },
    },
    ...IN_MEMORY,
  },
  {
    framework: "koa",
    backend: "memory",
    routes: {
      anonymous: { bare: 0.95, "empty middleware": NO_AIM },
      read: { "koa-session": 2 },
      write: { "koa-session": 1.5 },
    },
    ...IN_MEMORY,
  },
  { framework: "node", backend: "memory", routes: { anonymous: { bare: 0.95 } }, ...IN_MEMORY },
  {
    framework: "express",
    backend: "sqlite",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "better-sqlite3-session-store": 3, "better-auth": 2 },
      write: { "by hand": NO_AIM, "better-sqlite3-session-store": 2.5 },
    },
    ...{ ...IN_MEMORY, rate: 500 },
  },
  {
    framework: "express",
    backend: "postgres",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "connect-pg-simple": 2.5, "better-auth": 2 },
      write: { "by hand": NO_AIM, "connect-pg-simple": 2.5 },
    },
    ...IN_A_SERVER,
  },
  {
    framework: "express",
    backend: "mysql",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "express-mysql-session": 2 },
      write: { "by hand": NO_AIM, "express-mysql-session": 1.5 },
    },
    ...IN_A_SERVER,
  },
  {
    framework: "express",
    backend: "redis",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "connect-redis": 2 },
      write: { "by hand": NO_AIM, "connect-redis": 1.5 },
    },
    ...IN_A_SERVER,
  },
  {
    framework: "express",
    backend: "mongodb",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "connect-mongo": 2 },
      write: { "by hand": NO_AIM, "connect-mongo": 1.5 },
    },
    ...IN_A_STAND_IN,
  },
  {
    framework: "express",
    backend: "couchdb",
    routes: {
      read: { lookup: 0.9, "by hand": 0.8, "couchdb-expression": 2 },
      write: { "by hand": NO_AIM, "couchdb-expression": 1.5 },
    },
    ...IN_A_STAND_IN,
  },
];

export function contendersOf({ routes }: Match): string[] {
  return [...new Set(["ours", ...Object.values(routes).flatMap((others) => Object.keys(others))])];
}

/** The routes on which a contender is measured. */
export function routesOf({ routes }: Match, who: string): string[] {
  return Object.keys(routes).filter((route) => who === "ours" || routes[route]?.[who] !== undefined);
}
