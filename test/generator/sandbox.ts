// A clone of the initializer with the small packs of fixtures/, in a temporary folder; its CLI, built and as a child process.
// Change it when the tests need the CLI run otherwise.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

export const repository = join(import.meta.dirname, "../..");

const folders: string[] = [];

// Once for all: a hook that is registered while a test runs is never called.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A temporary folder that is removed when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "generator-"));
  folders.push(folder);
  return folder;
}

/** The clone; its CLI is create-session-app/src/cli.ts below. */
export function cloneWithFixtures(): string {
  const clone = temporaryFolder();
  cpSync(join(import.meta.dirname, "fixtures"), clone, { recursive: true });
  mkdirSync(join(clone, "create-session-app"));
  for (const part of ["src", "build.ts", "package.json"]) {
    cpSync(join(repository, "create-session-app", part), join(clone, "create-session-app", part), { recursive: true });
  }
  for (const part of ["CHANGELOG.md", "docs/security-fixes.json"]) cpSync(join(repository, part), join(clone, part));
  symlinkSync(join(repository, "node_modules"), join(clone, "node_modules"), "dir");
  return clone;
}

/** A copy of the package's folder, in a clone of its own: `npm pack` builds in it, for two suites at the same time. */
export function packageCopy(): string {
  const clone = temporaryFolder();
  const original = join(repository, "create-session-app");
  const copy = join(clone, "create-session-app");
  cpSync(original, copy, { recursive: true, filter: (source) => source !== join(original, "dist") });
  for (const part of ["node_modules", "runtime", "templates", "package.json", "CHANGELOG.md", "docs"]) {
    symlinkSync(join(repository, part), join(clone, part));
  }
  return copy;
}

/** The CLI as the clone runs it, TypeScript and all. */
export function sourceCli(clone: string): string {
  return join(clone, "create-session-app/src/cli.ts");
}

/** The CLI as it is published. */
export function builtCli(clone: string): string {
  execFileSync(process.execPath, [join(clone, "create-session-app/build.ts")]);
  return join(clone, "create-session-app/dist/cli.cjs");
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Invocation {
  cwd: string;
  env?: Record<string, string | undefined>;
  /** Called when the process has started. */
  onStart?: (child: ReturnType<typeof spawn>) => void;
  node?: string;
  /** Another user, for a process that may do less than root. */
  uid?: number;
}

/** This process's environment, without what the package manager has added that runs the tests. */
export function environment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config|command)/.test(name)));
}

/** Without a terminal: stdin is empty, stdout and stderr are pipes. */
export function runCli(cli: string, parameters: readonly string[], options: Invocation): Promise<Finished> {
  const child = spawn(options.node ?? process.execPath, [cli, ...parameters], {
    cwd: options.cwd,
    env: { ...environment(), ...options.env } as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    uid: options.uid,
  });
  options.onStart?.(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Programs of our own that stand in for npm and git: a folder to put first in PATH. */
export function programs(scripts: Record<string, string>): { PATH: string } {
  const folder = temporaryFolder();
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return { PATH: `${folder}:${process.env.PATH}` };
}
