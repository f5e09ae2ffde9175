// The last words of a run, pasted: for each backend the steps that it prints are typed as they stand, and the app answers.
// Change it when starting a project takes another step.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { openAssets } from "../../create-session-app/src/assets.ts";
import { packs } from "../../scripts/packs.ts";
import type { ServerName } from "../servers/server.ts";
import { server } from "../servers/server.ts";
import { answers, freePort } from "./registry.ts";
import { programs, repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";

const { catalog } = openAssets(pathToFileURL(`${repository}/`));
const backends = catalog.backends.filter(({ id }) => packs("backends").includes(id));

/** Where the backend's server is, as the project is told; undefined: there is none to be had here. */
async function address(backend: (typeof backends)[number]): Promise<Record<string, string> | undefined> {
  if (backend.server === null) return {};
  const fixture = await import(join(repository, "templates/backends", backend.id, "conformance.ts"));
  const running = await server((fixture.default as { server: ServerName }).server);
  const variable = backend.environment.find(({ name }) => name.endsWith("_URL"))?.name ?? "";
  return running && { [variable]: running.url };
}

describe.each(backends.map((backend) => [backend.id, backend] as const))("%s", async (_, backend) => {
  const environment = await address(backend);

  test.skipIf(environment === undefined)("C10: the steps work word for word", { timeout: 600_000 }, async () => {
    const cwd = temporaryFolder();
    const flags = ["my app", "-f", "express", "-b", backend.id, "--no-install", "--no-git", "--json"];
    const { next } = JSON.parse((await runCli(sourceCli(repository), flags, { cwd })).stdout);
    const port = await freePort();
    // The server runs already; this Docker only makes sure that it is asked in the right folder for a thing that is there.
    const docker = '[ "$*" = "compose up -d --wait" ] && grep -q healthcheck compose.yaml && touch docker-was-asked';
    const env = { ...process.env, ...environment, ...programs({ docker }), PORT: String(port) };
    const shell = spawn("sh", ["-e", "-c", next.join("\n")], { cwd, env, stdio: "ignore", detached: true });
    try {
      expect(await (await answers(`http://localhost:${port}/health`, 300)).json()).toEqual({ store: "up" });
      expect(next).toHaveLength(backend.server === null ? 3 : 4);
    } finally {
      const closed = once(shell, "close");
      if (shell.exitCode === null && shell.pid !== undefined) process.kill(-shell.pid, "SIGTERM");
      await closed;
    }
  });
});
