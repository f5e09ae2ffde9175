// Measures requests per second and CPU time per request, ours and the peer in turn (A B A B …); prints medians of ratios.
// `npm run bench -- sessions [pairs] [seconds]`. Server and load have a core each where there is taskset; the machine should do nothing else.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { assemble } from "../../test/http/assemble.ts";
import { server as testServer } from "../../test/servers/server.ts";

const [pairs = 5, seconds = 4] = process.argv.slice(2).map(Number);

/** The route, our contender, the one that it is measured against, and the ratio that is aimed at. */
const MATCHES: [route: string, ours: string, peer: string, aim: number][] = [
  ["anonymous", "ours-memory", "bare", 0.95],
  ["read", "ours-memory", "bare", 0.8],
  ["read", "ours-memory", "express-session-memory", 1],
  ["write", "ours-memory", "express-session-memory", 1],
  ["read", "ours-sqlite", "lookup-sqlite", 0.9],
  ["read", "ours-sqlite", "express-session-sqlite", 2],
  ["write", "ours-sqlite", "express-session-sqlite", 1.5],
  ["read", "ours-postgres", "lookup-postgres", 0.9],
  ["read", "ours-postgres", "express-session-postgres", 2],
  ["write", "ours-postgres", "express-session-postgres", 1.5],
];

/** Requests per second, and the microseconds of CPU that the server used for each. */
interface Measured {
  rate: number;
  cpu: number;
}

interface Running {
  process: ChildProcess;
  port: number;
  cookies: string[];
}

const autocannon = createRequire(import.meta.url)("autocannon") as (options: object) => Promise<{
  requests: { average: number; total: number };
  non2xx: number;
  errors: number;
}>;

const pinned = canPin();
if (pinned) execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });
const postgres = (await testServer("postgres"))?.url ?? "";
const projects = {
  memory: await assemble({ framework: "express", backend: "memory" }, "bench"),
  sqlite: await assemble({ framework: "express", backend: "sqlite" }, "bench"),
  postgres: await assemble({ framework: "express", backend: "postgres" }, "bench"),
};

console.log(
  `${pairs} pairs of ${seconds} s each; Node ${process.version}; ${pinned ? "a core each" : "cores shared"}\n`,
);
console.log("route      ours             against                    ours/s   peer/s   ratio     aim  by CPU");
for (const [route, ours, peer, aim] of MATCHES) {
  if (ours.endsWith("postgres") && postgres === "") {
    console.log(`${route.padEnd(10)} ${ours.padEnd(16)} skipped: there is no PostgreSQL here`);
    continue;
  }
  const [a, b] = [await start(ours), await start(peer)];
  try {
    const rounds: [Measured, Measured][] = [];
    for (let pair = -1; pair < pairs; pair++) {
      const round: [Measured, Measured] = [await measure(a, route), await measure(b, route)];
      // The first pair warms both up.
      if (pair >= 0) rounds.push(round);
    }
    const [mine, theirs] = [median(rounds.map(([own]) => own.rate)), median(rounds.map(([, other]) => other.rate))];
    const ratio = median(rounds.map(([own, other]) => own.rate / other.rate));
    // The ratio by CPU time is the same where the server is the bottleneck, and steadier on a machine that has other work.
    const byCpu = median(rounds.map(([own, other]) => other.cpu / own.cpu));
    const columns = [
      route.padEnd(10),
      ours.padEnd(16),
      peer.padEnd(24),
      mine.toFixed(0).padStart(8),
      theirs.toFixed(0).padStart(8),
    ];
    console.log(
      [
        ...columns,
        ratio.toFixed(2).padStart(7),
        `${aim.toFixed(2).padStart(7)}${ratio >= aim ? " " : "*"}`,
        byCpu.toFixed(2).padStart(6),
      ].join(" "),
    );
  } finally {
    for (const { process } of [a, b]) process.kill();
  }
}
console.log("\n* less than aimed at");
process.exit(0);

async function start(name: string): Promise<Running> {
  const backend = name.endsWith("sqlite") ? "sqlite" : name.endsWith("postgres") ? "postgres" : "memory";
  const args = [join(import.meta.dirname, "serve.ts"), name, projects[backend], postgres];
  const env = { ...process.env, NODE_ENV: "production", SESSION_COOKIE_SECURE: "false" };
  const command = pinned ? ["taskset", "-c", "0", process.execPath, ...args] : [process.execPath, ...args];
  const child = spawn(command[0] as string, command.slice(1), { env, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const piece of child.stdout) {
    text += piece;
    if (text.includes("\n")) break;
  }
  if (!text.includes("\n")) await once(child, "exit");
  return { process: child, ...(JSON.parse(text) as { port: number; cookies: string[] }) };
}

async function measure({ process, port, cookies }: Running, route: string): Promise<Measured> {
  const requests = (route === "anonymous" ? [""] : cookies).map((cookie) => ({
    path: `/${route}`,
    headers: cookie === "" ? {} : { cookie },
  }));
  const before = cpuOf(process);
  const {
    requests: done,
    non2xx,
    errors,
  } = await autocannon({ url: `http://127.0.0.1:${port}`, connections: 32, duration: seconds, requests });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests of ${route} failed`);
  return { rate: done.average, cpu: ((cpuOf(process) - before) * 1e6) / done.total };
}

/** The seconds of CPU that a process has used; NaN where there is no /proc. */
function cpuOf({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function canPin(): boolean {
  try {
    execFileSync("taskset", ["-cp", String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
