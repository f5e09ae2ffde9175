// Makes a git repository of the new project, and a first commit where git knows who commits.
// Change it to commit otherwise. It never fails a run: a project without a repository is a project.
import { runProgram } from "./program.ts";

/** "inside": the project lies in somebody's work tree already. "missing": there is no git here. */
export type RepositoryState = "committed" | "initialised" | "inside" | "missing" | "failed";

export interface Repository {
  state: RepositoryState;
  /** What git said when it refused. */
  output: string;
}

/** `commit`: everything in the directory is ours to commit. Rejects only when it is cancelled. */
export async function initialiseRepository(
  directory: string,
  commit: boolean,
  signal: AbortSignal,
): Promise<Repository> {
  const git = (...parameters: string[]) =>
    runProgram(["git", ...parameters], { cwd: directory, env: ownGit() }, signal);
  const inside = await git("rev-parse", "--is-inside-work-tree");
  if (inside.missing) return { state: "missing", output: "" };
  if (inside.ok) return { state: "inside", output: "" };
  const init = await git("init", "--quiet");
  if (!init.ok) return { state: "failed", output: init.output };
  const known = commit && (await git("config", "user.name")).ok && (await git("config", "user.email")).ok;
  if (!known) return { state: "initialised", output: "" };
  const add = await git("add", "--all");
  const message = "Start from create-session-app";
  const done = add.ok
    ? await git("-c", "commit.gpgSign=false", "commit", "--quiet", "--no-verify", "--message", message)
    : add;
  return { state: done.ok ? "committed" : "initialised", output: done.ok ? "" : done.output };
}

/** Inside a git hook these variables point to another repository, and would send our commit there. */
function ownGit(): NodeJS.ProcessEnv {
  const elsewhere = /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !elsewhere.test(name)));
}
