// Express with our sessions against Express without any, against sessions written by hand, and against express-session's stores.
// `npm run bench -- sessions [--rounds N] [--requests N] [--only TEXT]`; the method is in measure.ts.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { assemble } from "../../test/http/assemble.ts";
import { server as testServer } from "../../test/servers/server.ts";
import { compare, conditions, start, stop, TABLE_HEAD, tableRow } from "./measure.ts";

/** A route, our contender, and those that it is measured against, each with the ratio that is aimed at. */
const MATCHES: { route: string; ours: string; peers: Record<string, number> }[] = [
  { route: "anonymous", ours: "ours-memory", peers: { bare: 0.95, "express-session-memory": 1 } },
  { route: "read", ours: "ours-memory", peers: { bare: 0.8, "by-hand-memory": 0.8, "express-session-memory": 2 } },
  { route: "write", ours: "ours-memory", peers: { "express-session-memory": 1 } },
  {
    route: "read",
    ours: "ours-sqlite",
    peers: { "lookup-sqlite": 0.9, "by-hand-sqlite": 0.8, "express-session-sqlite": 3 },
  },
  { route: "write", ours: "ours-sqlite", peers: { "express-session-sqlite": 2.5 } },
  {
    route: "read",
    ours: "ours-postgres",
    peers: { "lookup-postgres": 0.9, "by-hand-postgres": 0.8, "express-session-postgres": 2.5 },
  },
  { route: "write", ours: "ours-postgres", peers: { "express-session-postgres": 2.5 } },
];

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "21" },
    requests: { type: "string", default: "4000" },
    only: { type: "string", default: "" },
  },
});
const rounds = { count: Number(values.rounds), requests: Number(values.requests) };
const matches = MATCHES.filter(({ route, ours }) => `${route} ${ours}`.includes(values.only));

const needsPostgres = matches.some(({ ours }) => ours.endsWith("postgres"));
const postgres = (needsPostgres && (await testServer("postgres"))?.url) || "";
const projects = {
  memory: await assemble({ framework: "express", backend: "memory" }, "bench"),
  sqlite: await assemble({ framework: "express", backend: "sqlite" }, "bench"),
  postgres: await assemble({ framework: "express", backend: "postgres" }, "bench"),
};

console.log(`${conditions(rounds)}\n\n${TABLE_HEAD}`);
for (const { route, ours, peers } of matches) {
  if (ours.endsWith("postgres") && postgres === "") {
    console.log(`| ${route} | ${ours} | skipped: there is no PostgreSQL here |`);
    continue;
  }
  const servers = [];
  try {
    for (const name of [ours, ...Object.keys(peers)]) servers.push(await startExpress(name));
    const [own, ...others] = servers;
    if (own === undefined) continue;
    for (const comparison of await compare(route, own, others, rounds)) {
      console.log(tableRow(comparison, peers[comparison.peer] ?? Number.NaN));
    }
  } finally {
    stop(servers);
  }
}
process.exit(0);

function startExpress(name: string) {
  const backend = name.endsWith("sqlite") ? "sqlite" : name.endsWith("postgres") ? "postgres" : "memory";
  return start(name, join(import.meta.dirname, "express.ts"), [name, projects[backend], postgres]);
}
