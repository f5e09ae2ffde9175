// PgBouncer in transaction mode before a PostgreSQL of its own: Debian stable's, which knows nothing of prepared statements,
// and unstable's, which keeps them. Change it to start them with other settings.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOfNobody, freePorts, giveToNobody, program } from "./machine.ts";
import { cluster, newest } from "./postgres.ts";
import type { Recipe, ServerPlan, Wishes } from "./recipe.ts";
import { unstable } from "./unstable.ts";

const REMEDY = "apt-get install pgbouncer";

/** Refuses what it doesn't know when a client connects, such as a lock_timeout. */
export const pgbouncer: Recipe = {
  async plan(folder, wishes) {
    return pooled(folder, wishes, [program("pgbouncer", REMEDY)], [], "?pgbouncer=true");
  },
};

/** Keeps clients' prepared statements apart, and lets pass what it doesn't know. */
export const pgbouncerNewest: Recipe = {
  async plan(folder, wishes) {
    const root = await unstable("pgbouncer", ["pgbouncer"], REMEDY);
    const libraries = [join(root, "usr/lib/x86_64-linux-gnu"), join(root, "usr/lib")].join(":");
    const loader = [join(root, "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", libraries];
    const settings = ["max_prepared_statements = 100", "ignore_startup_parameters = statement_timeout, lock_timeout"];
    return pooled(folder, wishes, [...loader, join(root, "usr/sbin/pgbouncer")], settings, "");
  },
};

/** The units are PostgreSQL and PgBouncer; `nodes` has their addresses in this order. */
async function pooled(
  folder: string,
  wishes: Wishes,
  command: string[],
  settings: string[],
  parameters: string,
): Promise<ServerPlan> {
  const server = await cluster(folder, await newest(folder), wishes);
  const direct = new URL(server.url);
  const home = await folderOfNobody(folder, "pgbouncer");
  const [port = 0] = await freePorts(1);
  const users = join(home, "users");
  const configuration = join(home, "pgbouncer.ini");
  await writeFile(users, `"${direct.username}" "${direct.password}"\n`, { mode: 0o600 });
  const lines = [
    "[databases]",
    `* = host=${direct.hostname} port=${direct.port}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = scram-sha-256",
    `auth_file = ${users}`,
    "pool_mode = transaction",
    "default_pool_size = 8",
    "max_client_conn = 500",
    "server_login_retry = 1",
    ...settings,
  ];
  await writeFile(configuration, `${lines.join("\n")}\n`, { mode: 0o600 });
  await giveToNobody(users);
  await giveToNobody(configuration);
  const url = new URL(direct);
  url.port = String(port);
  return {
    ...server,
    url: `${url.href}${parameters}`,
    nodes: [direct.href, url.href],
    units: [
      ...server.units,
      {
        command: [...command, configuration],
        unprivileged: true,
        ready: (output) => /process up/.test(output),
        stopSignal: "SIGINT",
      },
    ],
  };
}
