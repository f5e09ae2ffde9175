// Makes a git repository of the new project, and a first commit where git knows who commits.
// Change it to commit otherwise. It never fails a run: a project without a repository is a project.
import { runProgram } from "./run.ts";

/**
 * "inside": the project lies in somebody's work tree already. "foreign": it lies in one that git refuses to use, because it belongs to
 * another user. "missing": there is no git here. "anonymous": there is a repository, but git doesn't know who commits.
 */
export type RepositoryState = "committed" | "initialised" | "anonymous" | "inside" | "foreign" | "missing" | "failed";

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
    runProgram(["git", ...parameters], { cwd: directory, env: gitEnvironment() }, signal);
  const inside = await git("rev-parse", "--is-inside-work-tree");
  if (inside.missing) return { state: "missing", output: "" };
  if (inside.ok) return { state: "inside", output: "" };
  if (inside.output.includes("dubious ownership")) return { state: "foreign", output: firstLine(inside.output) };
  const init = await git("init", "--quiet");
  if (!init.ok) return { state: "failed", output: init.output };
  if (!commit) return { state: "initialised", output: "" };
  // Without "useConfigOnly" git makes up a name and an address from the machine's.
  const identities = ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"];
  for (const identity of identities) {
    const known = await git("-c", "user.useConfigOnly=true", "var", identity);
    if (!known.ok) return { state: "anonymous", output: "" };
  }
  const add = await git("add", "--all");
  const message = "Start from create-session-app";
  const done = add.ok
    ? await git("-c", "commit.gpgSign=false", "commit", "--quiet", "--no-verify", "--message", message)
    : add;
  return { state: done.ok ? "committed" : "initialised", output: done.ok ? "" : firstLine(done.output) };
}

/** The line that says why: warnings come before it, advice after it. */
function firstLine(output: string): string {
  const lines = output.split("\n");
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? lines[0] ?? "";
}

export function gitEnvironment(): NodeJS.ProcessEnv {
  // Inside a git hook these variables point to another repository, and would send our commit there.
  const elsewhere = /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/;
  const inherited = Object.entries(process.env).filter(([name]) => !elsewhere.test(name));
  // In other languages its messages couldn't be told apart.
  return { ...Object.fromEntries(inherited), LC_ALL: "C" };
}
