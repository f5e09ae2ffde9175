// Asks git about the project's own history: what is not committed, which files were moved, how files were when they were generated.
// Change it to ask git something else. It never changes anything, and never needs a network.
import { execFile } from "node:child_process";
import { gitEnvironment } from "./git.ts";

const MAX_OUTPUT_BYTES = 1 << 28;

export interface UncommittedFile {
  /** Below the directory, with forward slashes. */
  path: string;
  untracked: boolean;
}

/** A directory in a git work tree. */
export class GitHistory {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  /** From the top of the work tree to the directory: "apps/web/". */
  readonly #prefix: string;

  private constructor(directory: string, prefix: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#prefix = prefix;
    this.#signal = signal;
  }

  /** Undefined: there is no git, or the directory is in no work tree. Rejects only when it is cancelled, as all of these do. */
  static async open(directory: string, signal: AbortSignal): Promise<GitHistory | undefined> {
    const output = await git(directory, ["rev-parse", "--show-prefix"], signal);
    return output === undefined ? undefined : new GitHistory(directory, lineOf(output), signal);
  }

  /** Undefined where git can't tell: an unborn branch has a status too, a broken repository hasn't. */
  async uncommitted(): Promise<UncommittedFile[] | undefined> {
    const parameters = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", "."];
    const output = await this.#git(parameters);
    return output
      ?.toString("utf8")
      .split("\0")
      .filter((entry) => entry !== "")
      .map((entry) => ({ path: entry.slice(3 + this.#prefix.length), untracked: entry.startsWith("??") }));
  }

  /** The contents with these ids, as far as the repository has them. */
  async blobs(ids: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#objects(ids);
  }

  /** The contents of these paths, by path, in a commit. */
  async filesAt(commit: string, paths: readonly string[]): Promise<Map<string, Buffer>> {
    const found = await this.#objects(paths.map((path) => `${commit}:${this.#prefix}${path}`));
    return new Map([...found].map(([name, content]) => [name.slice(commit.length + 1 + this.#prefix.length), content]));
  }

  /** The commits that have changed this path, the newest first. */
  async commitsOf(path: string): Promise<string[]> {
    const output = await this.#git(["log", "--format=%H", "--", path]);
    return (output?.toString("utf8") ?? "").split("\n").filter((line) => line !== "");
  }

  /** What was moved between a commit and now: old path to new path. */
  async movedSince(commit: string): Promise<Map<string, string>> {
    const parameters = [
      "diff",
      "--find-renames",
      "--diff-filter=R",
      "--name-status",
      "-z",
      "--relative",
      commit,
      "--",
      ".",
    ];
    const parts = ((await this.#git(parameters))?.toString("utf8") ?? "").split("\0");
    const moved = new Map<string, string>();
    for (let index = 0; index + 2 < parts.length; index += 3) {
      moved.set(parts[index + 1] as string, parts[index + 2] as string);
    }
    return moved;
  }

  async #objects(names: readonly string[]): Promise<Map<string, Buffer>> {
    const output = await this.#git(["cat-file", "--batch"], `${names.join("\n")}\n`);
    return output === undefined ? new Map() : readBatch(output, names);
  }

  #git(parameters: readonly string[], input = ""): Promise<Buffer | undefined> {
    return git(this.#directory, parameters, this.#signal, input);
  }
}

/** The output of `git cat-file --batch`: for each name a line, and after that of an object that is there, its content. */
function readBatch(output: Buffer, names: readonly string[]): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let position = 0;
  for (const name of names) {
    const end = output.indexOf("\n", position);
    if (end < 0) break;
    const [, type, size] = / (\w+) (\d+)$/.exec(output.subarray(position, end).toString("utf8")) ?? [];
    position = end + 1;
    if (size === undefined) continue;
    if (type === "blob") found.set(name, output.subarray(position, position + Number(size)));
    position += Number(size) + 1;
  }
  return found;
}

/** Resolves to undefined when git is missing or fails. */
function git(
  directory: string,
  parameters: readonly string[],
  signal: AbortSignal,
  input = "",
): Promise<Buffer | undefined> {
  signal.throwIfAborted();
  const env = { ...gitEnvironment(), GIT_NO_LAZY_FETCH: "1", GIT_OPTIONAL_LOCKS: "0" };
  const options = { cwd: directory, env, maxBuffer: MAX_OUTPUT_BYTES, encoding: "buffer", signal } as const;
  return new Promise((resolve, reject) => {
    const child = execFile("git", parameters, options, (error, stdout) => {
      if (signal.aborted) reject(signal.reason);
      else resolve(error === null ? stdout : undefined);
    });
    // git may have ended before it has read all of it; how it ended says why.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function lineOf(output: Buffer): string {
  return output.toString("utf8").replace(/\n$/, "");
}
