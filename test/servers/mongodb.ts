// Something that speaks MongoDB's protocol: PostgreSQL with the DocumentDB extension, and a gateway before it. Not mongod.
// Change it to start it with other settings; what the gateway understands is in mongodb/.

import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOfNobody, freePorts, giveToNobody, isRoot, program, randomPassword, run } from "./machine.ts";
import { type Recipe, Unavailable } from "./recipe.ts";
import { unstable } from "./unstable.ts";

const REMEDY = "set TEST_MONGODB_URL";
const USER = "tester";
const here = join(import.meta.dirname, "mongodb");

export const mongodb: Recipe = {
  async plan(folder, { durable }) {
    if (!isRoot) throw new Unavailable(`it needs root (chroot); ${REMEDY}`);
    const unshare = program("unshare", "apt-get install util-linux");
    const root = await unstable(
      "documentdb",
      ["postgresql-18-documentdb", "dash", "base-files", "base-passwd"],
      REMEDY,
    );
    await prepare(root);
    const binaries = `/usr/lib/postgresql/${(await readdir(join(root, "usr/lib/postgresql")))[0]}/bin`;
    const home = await folderOfNobody(folder, "postgres");
    const inside = (...command: string[]) => [
      unshare,
      "--mount",
      "bash",
      join(here, "chroot.sh"),
      root,
      home,
      ...command,
    ];

    const password = randomPassword();
    await writeFile(join(home, "password"), password, { mode: 0o600 });
    await giveToNobody(join(home, "password"));
    const initdb = ["-D", "/mnt/data", "-U", USER, "--pwfile=/mnt/password", "-A", "scram-sha-256", "-E", "UTF8"];
    await run(inside(`${binaries}/initdb`, ...initdb, "--locale=C.UTF-8", "--no-sync", "--no-instructions"));
    // The extension's own workers sign in through the socket in the server's folder, which nobody else can enter.
    const access = join(home, "data", "pg_hba.conf");
    await writeFile(access, (await readFile(access, "utf8")).replace(/^(local.*)scram-sha-256/gm, "$1trust"));

    const [port = 0, gatewayPort = 0] = await freePorts(2);
    const settings = [
      ...["listen_addresses=127.0.0.1", "unix_socket_directories=/mnt", "max_connections=200"],
      "shared_preload_libraries=pg_cron,pg_documentdb_core,pg_documentdb",
      ...["cron.database_name=postgres", "cron.host=/mnt", "documentdb.localhost_connection_string=host=/mnt"],
      ...(durable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]),
    ].flatMap((setting) => ["-c", setting]);
    const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
    return {
      url: `mongodb://127.0.0.1:${gatewayPort}/test`,
      keepsData: true,
      units: [
        {
          command: inside(`${binaries}/postgres`, "-D", "/mnt/data", "-p", `${port}`, ...settings),
          unprivileged: false,
          ready: (output) => output.includes("ready to accept connections"),
          stopSignal: "SIGINT",
        },
        {
          command: [process.execPath, join(here, "gateway.ts")],
          env: { DOCUMENTDB_URL: url, PORT: `${gatewayPort}` },
          unprivileged: false,
          ready: (output) => output.includes("listening"),
          stopSignal: "SIGTERM",
        },
      ],
    };
  },
};

/** Does what the packages' install scripts would have done. */
async function prepare(root: string): Promise<void> {
  for (const folder of ["mnt", "dev", "proc"]) await mkdir(join(root, folder), { recursive: true });
  const masters = { passwd: "passwd.master", group: "group.master" };
  for (const [name, master] of Object.entries(masters)) {
    const file = join(root, "etc", name);
    const size = await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
    if (size === 0) await cp(join(root, "usr/share/base-passwd", master), file);
  }
  const extensions = join(root, "usr/share/postgresql/18/extension");
  for (const name of ["postgis", "postgis_raster", "postgis_sfcgal", "postgis_topology"]) {
    await symlink(`${name}-3.control`, join(extensions, `${name}.control`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
