// What servers need from the machine: an unprivileged user, ports, programs, a folder for downloads.
// Change it to teach the tests another operating system.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { Unavailable } from "./recipe.ts";

const NOBODY = 65534;

export const isRoot = process.getuid?.() === 0;

/** The program's path; the folders where Debian puts servers are searched too. */
export function program(name: string, remedy: string): string {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/sbin"]) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The program isn't in this folder.
    }
  }
  throw new Unavailable(`${name} isn't installed; ${remedy}`);
}

const hasSetpriv = process.platform === "linux" && existsSync("/usr/bin/setpriv");

/** The command, changed so that it ends with this process and runs as the user nobody if it should. */
export function confined(command: string[], unprivileged: boolean): string[] {
  if (!hasSetpriv) {
    if (unprivileged && isRoot) throw new Unavailable("setpriv (package util-linux) is needed to leave root");
    return command;
  }
  const drop = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--inh-caps=-all"];
  return ["setpriv", ...(unprivileged && isRoot ? drop : []), "--pdeathsig", "KILL", "--", ...command];
}

/** Creates a folder below `folder` that the unprivileged user owns. */
export async function folderOfNobody(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { mode: 0o700 });
  if (isRoot) await chown(path, NOBODY, NOBODY);
  return path;
}

export async function giveToNobody(file: string): Promise<void> {
  if (isRoot) await chown(file, NOBODY, NOBODY);
}

/** Different ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            if (address && typeof address === "object") resolve(address.port);
            else reject(new Error("no port"));
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function randomPassword(): string {
  return randomBytes(12).toString("hex");
}

/**
 * A folder that `fill` has filled, now or in an earlier run. For root it lies outside of root's home, which the user
 * nobody can't enter. It is filled under another name and then renamed, so that an interrupted download is never used.
 */
export async function downloaded(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const own = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const cache = join(isRoot ? "/var/cache" : own, "create-session-app");
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true, mode: 0o755 });
  const beside = await mkdtemp(`${folder}.`);
  try {
    await chmod(beside, 0o755);
    await fill(beside);
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Another run has finished the same download first.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Runs a command and resolves to its output; rejects with its output if it fails. */
export function run(
  command: string[],
  options: { unprivileged?: boolean; cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const [file, ...args] = confined(command, options.unprivileged ?? false);
  return new Promise((resolve, reject) => {
    const child = spawn(file ?? "", args, {
      cwd: options.cwd ?? "/",
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (text: Buffer) => {
      output += text;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command.join(" ")} ended with ${code}\n${output}`));
    });
  });
}
