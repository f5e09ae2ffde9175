// The last words of a run, pasted: for each backend the steps that it prints are typed as they stand, and the app answers.
// Change it when starting a project takes another step.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openAssets } from "../../create-session-app/src/packs/assets.ts";
import { packs } from "../../scripts/packs.ts";
import type { ServerName } from "../servers/server.ts";
import { server } from "../servers/server.ts";
import { answers, freePort } from "./registry.ts";
import { programs, repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";

const { catalog } = openAssets(join(repository, "create-session-app/src"));
const backends = catalog.backends.filter(({ id }) => packs("backends").includes(id));

/** The variable that says where the backend's server is. */
function variable({ environment }: (typeof backends)[number]): string {
  return environment.find(({ name }) => name.endsWith("_URL"))?.name ?? "";
}

/** Where the backend's server is; null: it has none, undefined: there is none to be had here. */
async function address(backend: (typeof backends)[number]): Promise<string | null | undefined> {
  if (backend.server === null) return null;
  const fixture = await import(join(repository, "templates/backends", backend.id, "conformance.ts"));
  return (await server((fixture.default as { server: ServerName }).server))?.url;
}

describe.each(backends.map((backend) => [backend.id, backend] as const))("%s", async (_, backend) => {
  const url = await address(backend);

  test.skipIf(url === undefined)("C10 P3: the steps work word for word", { timeout: 600_000 }, async () => {
    const cwd = temporaryFolder();
    const flags = ["my app", "-f", "express", "-b", backend.id, "--no-install", "--no-git", "--json"];
    const { next } = JSON.parse((await runCli(sourceCli(repository), flags, { cwd })).stdout);
    const port = await freePort();
    expect(readFileSync(join(cwd, "my app/README.md"), "utf8")).toContain(
      `\`\`\`sh\n${next.slice(1).join("\n")}\n\`\`\`\n`,
    );
    // Only ports differ from what a person has: the server of compose.yaml has the one that .env.example names.
    const example = join(cwd, "my app/.env.example");
    const named = readFileSync(example, "utf8").replace(/^#PORT=.*$/m, `PORT=${port}`);
    writeFileSync(example, named.replace(new RegExp(`^${variable(backend)}=.*$`, "m"), `${variable(backend)}=${url}`));
    // The server runs already; this Docker only makes sure that it is asked in the right folder for a thing that is there.
    const docker = '[ "$*" = "compose up -d --wait" ] && grep -q healthcheck compose.yaml && touch docker-was-asked';
    const env = { ...process.env, ...programs({ docker }), ...(url === null ? { PORT: String(port) } : {}) };
    const shell = spawn("sh", ["-e", "-c", next.join("\n")], { cwd, env, stdio: "ignore", detached: true });
    try {
      expect(await (await answers(`http://localhost:${port}/health`, 300)).json()).toEqual({ store: "up" });
      expect(next).toHaveLength(url === null ? 3 : 5);
    } finally {
      const closed = once(shell, "close");
      if (shell.exitCode === null && shell.pid !== undefined) process.kill(-shell.pid, "SIGTERM");
      await closed;
    }
  });

  test.skipIf(backend.server === null)("P3 P9: .env.example names the server that compose.yaml starts", () => {
    const compose = readFileSync(join(repository, "templates/backends", backend.id, "files/compose.yaml.hbs"), "utf8");
    const given = backend.environment.filter(({ optional }) => !optional);
    expect(given.map(({ name }) => name)).toEqual([variable(backend)]);
    const { hostname, port, username, password, pathname } = new URL(given[0]?.value ?? "");
    expect(hostname).toBe("localhost");
    expect(compose).toContain(`"127.0.0.1:${port}:${port}"`);
    expect(/_USER: (.*)/.exec(compose)?.[1] ?? "").toBe(username);
    expect(/_USER: .*\n +\w+_PASSWORD: (.*)/.exec(compose)?.[1] ?? "").toBe(password);
    const database = /_(?:DB|DATABASE): (.*)/.exec(compose)?.[1];
    if (database !== undefined) expect(pathname).toBe(`/${database}`);
  });
});
