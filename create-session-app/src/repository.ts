// Makes a git repository of the new project, and a first commit where git knows who commits.
// Change it to commit otherwise. It never fails a run: a project without a repository is a project.
import { spawnSync } from "node:child_process";

/** "inside": the project lies in somebody's work tree already. "missing": there is no git here. */
export type RepositoryState = "committed" | "initialised" | "inside" | "missing" | "failed";

export interface Repository {
  state: RepositoryState;
  /** What git said when it refused. */
  output: string;
}

/** `commit`: everything in the directory is ours to commit. */
export function initialiseRepository(directory: string, commit: boolean): Repository {
  const inside = git(directory, ["rev-parse", "--is-inside-work-tree"]);
  if (inside.missing) return { state: "missing", output: "" };
  if (inside.ok) return { state: "inside", output: "" };
  const init = git(directory, ["init", "--quiet"]);
  if (!init.ok) return { state: "failed", output: init.output };
  if (!commit || !hasIdentity(directory)) return { state: "initialised", output: "" };
  const add = git(directory, ["add", "--all"]);
  const done = add.ok
    ? git(directory, [
        "-c",
        "commit.gpgSign=false",
        "commit",
        "--quiet",
        "--no-verify",
        "--message",
        "Start from create-session-app",
      ])
    : add;
  return { state: done.ok ? "committed" : "initialised", output: done.ok ? "" : done.output };
}

function hasIdentity(directory: string): boolean {
  return ["user.name", "user.email"].every((key) => git(directory, ["config", key]).ok);
}

function git(directory: string, parameters: string[]): { ok: boolean; missing: boolean; output: string } {
  // Inside a git hook these point to another repository, and would send our commit there.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/.test(name),
    ),
  );
  const done = spawnSync("git", parameters, {
    cwd: directory,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const missing = done.error !== undefined && "code" in done.error && done.error.code === "ENOENT";
  return { ok: done.status === 0, missing, output: `${done.stdout ?? ""}${done.stderr ?? ""}`.trim() };
}
