// A registry of its own on loopback (verdaccio) for one test: what is published here comes from here, the rest from npm's registry.
// Change it when verdaccio's configuration changes.
import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { repository } from "./sandbox.ts";

export interface Registry {
  url: string;
  stop(): Promise<void>;
}

/** `upstream`: the registry that this machine uses. */
export async function startRegistry(folder: string, own: string, upstream: string): Promise<Registry> {
  const port = await freePort();
  const everybody = { access: "$all", publish: "$anonymous" };
  const configuration = {
    storage: join(folder, "storage"),
    uplinks: { upstream: { url: upstream, timeout: "60s", max_fails: 20 } },
    packages: { [own]: everybody, "**": { ...everybody, proxy: "upstream" } },
    log: { type: "file", path: join(folder, "registry.log"), level: "warn" },
    middlewares: { audit: { enabled: false } },
    web: { enable: false },
  };
  // YAML takes JSON as it is.
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(configuration));
  const program = join(repository, "node_modules/verdaccio/bin/verdaccio");
  const parameters = [program, "--config", join(folder, "config.yaml"), "--listen", `http://127.0.0.1:${port}`];
  const child = spawn(process.execPath, parameters, { stdio: "ignore", cwd: folder });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/-/ping`);
  return {
    url,
    async stop() {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** The registry that this machine uses. */
export function upstreamOf(cwd: string): string {
  return execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", cwd }).trim();
}

/** The environment of a user with a home of their own, whose package managers all use the registry. */
export function userOf(registry: Registry, folder: string): Record<string, string> {
  const home = join(folder, "home");
  mkdirSync(home);
  const { host } = new URL(registry.url);
  writeFileSync(join(home, ".npmrc"), `registry=${registry.url}\n//${host}/:_authToken=anybody\n`);
  const { PATH = "" } = process.env;
  // Where certificates lie and by which proxy one goes out is the machine's affair, not the user's.
  const machine = Object.entries(process.env).filter(([variable]) => /_CERT|CA_|proxy$/i.test(variable));
  return {
    ...(Object.fromEntries(machine) as Record<string, string>),
    PATH: PATH.split(":")
      .filter((part) => !part.startsWith(repository))
      .join(":"),
    HOME: home,
    npm_config_registry: registry.url,
    npm_config_update_notifier: "false",
    npm_config_yes: "true",
    // The package has just been published, which careful package managers would wait out.
    pnpm_config_registry: registry.url,
    pnpm_config_minimum_release_age: "0",
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
    YARN_NPM_MINIMAL_AGE_GATE: "0",
    BUN_CONFIG_REGISTRY: registry.url,
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
}

/** Packs the package, which builds it, and publishes it. */
export function publish(packageFolder: string, folder: string, env: Record<string, string>): void {
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: packageFolder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { filename } = JSON.parse(packed.slice(packed.indexOf("\n[") + 1))[0];
  const parameters = ["publish", join(folder, filename), "--provenance=false"];
  execFileSync("npm", parameters, { cwd: folder, env, stdio: "ignore" });
}

/** Below the ports that systems give to connections and to `listen(0)`, so that no other program gets it before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(11_000, 30_000);
    const free = await Promise.all(["127.0.0.1", "::1"].map((host) => isFree(port, host)));
    if (!free.includes(false)) return port;
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    // A machine without IPv6 has no such address.
    return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Waits until the address answers with success. */
export async function answers(url: string, seconds = 60): Promise<Response> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      const response = await fetch(url);
      if (response.ok) return response;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`${url} did not answer in ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
