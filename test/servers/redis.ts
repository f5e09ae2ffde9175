// Redis, alone and as a cluster of three, from Debian's redis-server.
// Change it to start it with other settings, or with replicas.

import { folderOfNobody, freePorts, program, randomPassword, run } from "./machine.ts";
import type { Recipe, UnitPlan, Wishes } from "./recipe.ts";

const REMEDY = "apt-get install redis-server, or set TEST_REDIS_URL";

function unit(port: number, password: string, folder: string, { durable }: Wishes, more: string[] = []): UnitPlan {
  const keep = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  return {
    command: [
      program("redis-server", REMEDY),
      ...["--bind", "127.0.0.1", "--port", `${port}`, "--requirepass", password, "--masterauth", password],
      ...["--dir", folder, "--daemonize", "no", "--save", "", ...keep, ...more],
    ],
    unprivileged: true,
    ready: (output) => output.includes("Ready to accept connections"),
    stopSignal: "SIGTERM",
  };
}

export const redis: Recipe = {
  async plan(folder, wishes) {
    const password = randomPassword();
    const [port = 0] = await freePorts(1);
    return {
      url: `redis://:${password}@127.0.0.1:${port}`,
      keepsData: wishes.durable,
      units: [unit(port, password, await folderOfNobody(folder, "redis"), wishes)],
    };
  },
};

const NODES = 3;

export const redisCluster: Recipe = {
  async plan(folder, wishes) {
    const cli = program("redis-cli", REMEDY);
    const password = randomPassword();
    // The nodes talk to each other on the ports of the second half.
    const ports = await freePorts(2 * NODES);
    const clients = ports.slice(0, NODES);
    const units: UnitPlan[] = [];
    for (const [index, port] of clients.entries()) {
      const more = ["--cluster-enabled", "yes", "--cluster-port", `${ports[NODES + index]}`];
      const patience = ["--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"];
      units.push(unit(port, password, await folderOfNobody(folder, `node-${index}`), wishes, [...more, ...patience]));
    }
    const ask = (port: number, ...words: string[]) =>
      run([cli, "-h", "127.0.0.1", "-p", `${port}`, ...words], { env: { REDISCLI_AUTH: password } });
    const nodes = clients.map((port) => `redis://:${password}@127.0.0.1:${port}`);
    return {
      url: nodes.join(","),
      nodes,
      keepsData: wishes.durable,
      units,
      async settle() {
        const addresses = clients.map((port) => `127.0.0.1:${port}`);
        const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "0", "--cluster-yes"];
        await run([cli, ...create], { env: { REDISCLI_AUTH: password } });
        for (const port of clients) {
          const deadline = Date.now() + 30_000;
          while (!(await ask(port, "cluster", "info")).includes("cluster_state:ok")) {
            if (Date.now() > deadline) throw new Error("the Redis cluster did not form");
          }
        }
      },
    };
  },
};
