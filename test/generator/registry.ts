// A registry of its own on loopback (verdaccio) for one test: what is published here comes from here, the rest from npm's registry.
// Change it when verdaccio's configuration changes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
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
