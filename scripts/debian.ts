// The servers and the browser that the tests take from Debian: installs what is missing, if it may.
// Change it when a test needs another of Debian's packages.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { step } from "./step.ts";

/** Each package, with a program that is there once the package is installed. */
const PACKAGES = {
  "redis-server": "redis-server",
  "mariadb-server": "mariadbd",
  pgbouncer: "pgbouncer",
  "nginx-light": "nginx",
  caddy: "caddy",
  chromium: "chromium",
  openssl: "openssl",
};

function missing(): string[] {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const there = (program: string) => folders.some((folder) => existsSync(join(folder, program)));
  return Object.entries(PACKAGES).flatMap(([name, program]) => (there(program) ? [] : [name]));
}

export async function bringDebianPackages(): Promise<void> {
  const wanted = missing();
  if (wanted.length === 0) return;
  const apt = existsSync("/usr/bin/apt-get");
  if (!apt || process.getuid?.() !== 0) {
    const how = apt ? `as root: apt-get install ${wanted.join(" ")}` : `with your system's packages`;
    console.error(`Not installed, so their tests are skipped: ${wanted.join(", ")}. Install them ${how}.`);
    return;
  }
  console.error(`Installing ${wanted.join(", ")} (once; about a minute) …`);
  const quietly = { DEBIAN_FRONTEND: "noninteractive" };
  const install = () => step("apt-get", ["-qq", "-y", "--no-install-recommends", "install", ...wanted], quietly);
  // This usually works at once; a machine that has never fetched Debian's package lists has to do so first.
  if ((await install()) === 0) return;
  if ((await step("apt-get", ["-qq", "update"], quietly)) === 0 && (await install()) === 0) return;
  console.error("apt-get could not install them; its output is above.");
}

if (import.meta.main) await bringDebianPackages();
