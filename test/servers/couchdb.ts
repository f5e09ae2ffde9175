// A stand-in for CouchDB: PouchDB's HTTP server, in memory. No CouchDB can be had from npm or Debian.
// Change it to use another one. What this one can't do is named in the README of the couchdb pack.

import { createHash } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { downloaded, freePorts, randomPassword, run } from "./machine.ts";
import { type Recipe, Unavailable } from "./recipe.ts";

const source = join(import.meta.dirname, "couchdb");
const USER = "tester";

/** Installed in a folder of its own: its old dependencies must not mix with the repository's. */
async function install(): Promise<string> {
  const lock = await readFile(join(source, "package-lock.json"));
  const name = `couchdb-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`;
  return downloaded(name, async (folder) => {
    for (const file of ["package.json", "package-lock.json"]) await copyFile(join(source, file), join(folder, file));
    try {
      await run(["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
        cwd: folder,
      });
    } catch (cause) {
      throw new Unavailable(`npm could not install the stand-in (${(cause as Error).message.split("\n")[1]})`, {
        cause,
      });
    }
  });
}

export const couchdb: Recipe = {
  async plan(folder) {
    const modules = await install();
    const password = randomPassword();
    const [port] = await freePorts(1);
    return {
      url: `http://${USER}:${password}@127.0.0.1:${port}`,
      keepsData: false,
      units: [
        {
          command: [process.execPath, join(source, "server.cjs")],
          env: { PORT: `${port}`, ADMIN: USER, PASSWORD: password, FOLDER: folder, MODULES: modules },
          unprivileged: false,
          ready: (output) => output.includes("listening"),
          stopSignal: "SIGTERM",
        },
      ],
    };
  },
};
