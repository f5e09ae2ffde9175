// Atomicity of `update` and `switch` by force: runs that are killed at each of their changes to the disk, and the tree before and after,
// byte for byte. Change it together with kill.test.ts.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { countChanges, forEach, interfere, MINUTES, upTo } from "./kills.ts";
import { builtCli, cloneWithFixtures, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

interface Run {
  cli: string;
  parameters: string[];
  /** A project that the run changes. */
  edited: string;
  before: Record<string, string>;
  after: Record<string, string>;
  changes: number;
}

/** A project as it is generated, and a user's work on it. */
async function makeProject(cli: string): Promise<{ generated: string; edited: string }> {
  const [folder, edited] = [temporaryFolder(), temporaryFolder()];
  const flags = ["-f", "alpha", "-b", "plain", "--no-install", "--no-git"];
  expect((await runCli(cli, ["app", ...flags], { cwd: folder })).code).toBe(0);
  const generated = join(folder, "app");
  cpSync(generated, edited, { recursive: true });
  const config = readFileSync(join(edited, "src/config.ts"), "utf8");
  writeFileSync(join(edited, "src/config.ts"), `${config}\n\n\n// Mine.\n`);
  writeFileSync(join(edited, "src/main.ts"), "// Mine.\n");
  writeFileSync(join(edited, "mine.txt"), "Mine.\n", { mode: 0o600 });
  return { generated, edited };
}

/** A clone with changed packs, of a later version. */
function laterClone(): string {
  const clone = cloneWithFixtures();
  const pack = (path: string) => join(clone, path);
  const manifest = JSON.parse(readFileSync(pack("create-session-app/package.json"), "utf8"));
  writeFileSync(pack("create-session-app/package.json"), JSON.stringify({ ...manifest, version: "9.0.0" }));
  for (const path of ["templates/base/files/src/config.ts", "runtime/src/session/sessions.ts"]) {
    writeFileSync(pack(path), `// New.\n${readFileSync(pack(path), "utf8")}`);
  }
  rmSync(pack("templates/base/files/public"), { recursive: true });
  writeFileSync(pack("templates/base/files/src/new.ts"), "// New.\n");
  return clone;
}

async function prepare(command: string): Promise<Run> {
  const first = builtCli(cloneWithFixtures());
  const { generated, edited } = await makeProject(first);
  const isUpdate = command === "update";
  const cli = isUpdate ? builtCli(laterClone()) : first;
  const own = isUpdate ? ["update", "--base", generated] : ["switch", "--backend", "served"];
  const parameters = [...own, "--no-install"];
  const project = copyOf(edited);
  const changes = await countChanges(cli, project, parameters);
  return { cli, parameters, edited, changes, before: snapshot(edited), after: snapshot(project) };
}

function copyOf(edited: string): string {
  const project = temporaryFolder();
  cpSync(edited, project, { recursive: true });
  return project;
}

describe.each([
  { command: "update", removed: ["public/", "public/icon.png", "public/style.css"], added: ["src/new.ts"] },
  { command: "switch", removed: [], added: ["compose.yaml"] },
])("$command", ({ command, removed, added }) => {
  let run: Run;

  beforeAll(async () => {
    run = await prepare(command);
  }, 5 * MINUTES);

  test("L2 L5: replaces, merges, adds and removes files, and keeps the user's", () => {
    const { before, after, changes } = run;
    expect(changes).toBeGreaterThan(15);
    const only = (tree: Record<string, string>, other: Record<string, string>) =>
      Object.keys(tree).filter((path) => !(path in other));
    expect({ removed: only(before, after), added: only(after, before) }).toEqual({ removed, added });
    for (const path of ["mine.txt", "src/main.ts"]) expect(after[path]).toBe(before[path]);
  });

  test("C5 L4: after SIGKILL before any single change, the next run undoes it and then does it whole", {
    timeout: 10 * MINUTES,
  }, async () => {
    const { cli, parameters, edited, changes, after } = run;
    await forEach(upTo(changes), async (at) => {
      const project = copyOf(edited);
      const killed = await interfere(cli, project, parameters, { at, signal: "SIGKILL" });
      expect(killed.signal, `change ${at}`).toBe("SIGKILL");
      const next = await runCli(cli, parameters, { cwd: project });
      expect(next.code, `change ${at}: ${next.stderr}`).toBe(0);
      expect(snapshot(project), `change ${at}`).toEqual(after);
    });
  });

  test("C4 C5 L4: SIGINT and SIGTERM at any change leave the project as it was, and exit with 130", {
    timeout: 10 * MINUTES,
  }, async () => {
    const { cli, parameters, edited, changes, before, after } = run;
    await forEach(upTo(changes), async (at) => {
      const project = copyOf(edited);
      const { code, stderr } = await interfere(cli, project, parameters, {
        at,
        signal: at % 2 === 0 ? "SIGINT" : "SIGTERM",
      });
      expect([code, snapshot(project)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [130, before]);
    });
  });

  test("C5 L4: a disk that is full from any change on leaves the project as it was", {
    timeout: 10 * MINUTES,
  }, async () => {
    const { cli, parameters, edited, changes, before, after } = run;
    await forEach(upTo(changes), async (at) => {
      const project = copyOf(edited);
      const { code, stderr } = await interfere(cli, project, parameters, { at, full: true });
      expect([code, snapshot(project)], `change ${at}: ${stderr}`).toEqual(code === 0 ? [0, after] : [1, before]);
    });
  });
});
