// Copies of this repository that stand for versions of create-session-app, and projects made by one and edited by a user.
// Change it when the repository's layout changes.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Finished } from "./sandbox.ts";
import { programs, repository, runCli, temporaryFolder } from "./sandbox.ts";

/** Without npm, no older version can be run to make its files again. */
export const OFFLINE = programs({ npm: "echo no network; exit 1" });

/** A directory whose files a test reads and changes. */
class Files {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Fails when it changes nothing. */
  edit(path: string, change: (text: string) => string): void {
    const before = this.read(path);
    const after = change(before);
    if (after === before) throw new Error(`${path} is not changed.`);
    this.write(path, after);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }
}

/** An edit for `edit` that adds a text at the end of a file. */
export function append(text: string): (before: string) => string {
  return (before) => `${before}${text}`;
}

export class Version extends Files {
  readonly version: string;

  /** The packs as they are here, under another version number. `from`: a version, or another clone, to start from. */
  constructor(version: string, from?: { root: string }) {
    super(temporaryFolder());
    this.version = version;
    const source = from?.root ?? repository;
    for (const part of ["create-session-app/src", "create-session-app/package.json", "runtime", "templates"]) {
      cpSync(join(source, part), join(this.root, part), {
        recursive: true,
        filter: (path) => !/node_modules$/.test(path),
      });
    }
    // Old commits don't have all of them.
    const single = ["package.json", "CHANGELOG.md", "docs/security-fixes.json"].filter((part) =>
      existsSync(join(source, part)),
    );
    for (const part of single) cpSync(join(source, part), join(this.root, part));
    symlinkSync(join(repository, "node_modules"), join(this.root, "node_modules"), "dir");
    const manifest = JSON.parse(this.read("create-session-app/package.json"));
    this.write("create-session-app/package.json", JSON.stringify({ ...manifest, version }));
  }

  /** What a commit of this repository's history generates, under a version number of its own. */
  static ofCommit(commit: string, version: string): Version {
    const root = temporaryFolder();
    const archive = execFileSync("git", ["archive", commit], { cwd: repository, maxBuffer: 1 << 28 });
    execFileSync("tar", ["-x", "-C", root], { input: archive });
    return new Version(version, { root });
  }

  /** The folder of the package, ready for `npm pack`. */
  packageFolder(): string {
    const folder = join(this.root, "create-session-app");
    for (const part of ["build.ts", "README.md", "LICENSE"]) {
      cpSync(join(repository, "create-session-app", part), join(folder, part));
    }
    return folder;
  }

  get cli(): string {
    return join(this.root, "create-session-app/src/cli.ts");
  }

  run(parameters: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Finished> {
    return runCli(this.cli, parameters, { cwd, env: { ...USER, ...env } });
  }

  /** Makes a project; with git, everything is committed. */
  async create(choice: readonly string[], { git = true } = {}): Promise<Project> {
    const folder = temporaryFolder();
    const flags = [...choice, "--no-install", git ? "--git" : "--no-git"];
    const { code, stderr } = await this.run(["app", "--yes", ...flags], folder);
    if (code !== 0) throw new Error(stderr);
    return new Project(join(folder, "app"));
  }
}

/** False in a clone without its history; in CI that is a failure, when the test asks for the commit. */
export function hasCommit(commit: string): boolean {
  if (process.env.CI === "true") return true;
  return spawnSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: repository }).status === 0;
}

/** Somebody whom git knows, wherever the tests run. */
const USER = {
  GIT_AUTHOR_NAME: "A user",
  GIT_AUTHOR_EMAIL: "user@example.com",
  GIT_COMMITTER_NAME: "A user",
  GIT_COMMITTER_EMAIL: "user@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

export class Project extends Files {
  git(...parameters: string[]): string {
    return execFileSync("git", parameters, { cwd: this.root, encoding: "utf8", env: { ...process.env, ...USER } });
  }

  commit(message = "Work"): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", message);
  }

  get record(): { version: string; files: Record<string, { blob: string }>; [key: string]: unknown } {
    return JSON.parse(this.read(".session-app.json"));
  }
}
