// Finds the base of a merge: what was generated, in the user's own repository or by the recorded version of the package.
// Change it when a project's base is to be found elsewhere.
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import { readFiles } from "../disk/read.ts";
import type { GitHistory } from "../programs/git-history.ts";
import type { Regenerated } from "../programs/old-version.ts";
import type { BaseSource } from "../project/find-base.ts";
import { findBase } from "../project/find-base.ts";
import { encodeText } from "../project/lines.ts";
import { formatRecord } from "../project/next-record.ts";
import type { Plan } from "../project/plan.ts";
import { contentsOf } from "../project/plan.ts";
import type { RecordedAnswers } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import type { Tree } from "../project/tree.ts";
import type { Project } from "./project.ts";

export interface BaseInput {
  project: Project;
  history: GitHistory | undefined;
  /** What this version generates for the answers in the record, where it is the version in the record. */
  recordedPlan?: Plan;
  /** A directory with the project as it was generated. */
  baseDirectory: string | undefined;
  signal: AbortSignal;
}

interface Sources {
  recorded: ReadonlyMap<string, string>;
  movedByYou: ReadonlyMap<string, string>;
  yours: Tree;
  ours: Tree;
}

/** Throws where a base is needed and nowhere to be found. */
export async function baseOf(input: BaseInput, { recorded, movedByYou, yours, ours }: Sources): Promise<Tree> {
  const { project, recordedPlan, history, baseDirectory, signal } = input;
  const { version, answers } = project.record;
  let regenerated: Regenerated | undefined;
  const fromRegistry: BaseSource = async () => {
    const { regenerate } = await import("../programs/old-version.ts");
    const record = { path: RECORD, text: formatRecord({ format: 1, version, answers, files: {} }) };
    regenerated = await regenerate(version, answers.added ? { record } : { flags: generatingFlags(answers) }, signal);
    return regenerated.files;
  };
  const whereMoved = new Map([...movedByYou].map(([path, now]) => [path, yours.get(now) ?? new Uint8Array()]));
  const kept = new Map([...project.record.generated].map(([path, text]) => [path, encodeText(text)]));
  const sources: BaseSource[] = [() => yours, () => whereMoved, () => ours, () => kept];
  if (recordedPlan) sources.push(() => contentsOf(recordedPlan));
  if (baseDirectory !== undefined) sources.push((missing) => readFiles(baseDirectory, missing.keys()).files);
  else if (history) sources.push(...gitSources(history));
  if (baseDirectory === undefined) sources.push(fromRegistry);
  const { base, missing } = await findBase(recorded, sources);
  const lacking: string[] = [];
  for (const path of missing) {
    // The recorded version may generate it otherwise here (on another Node, outside of a workspace). A base that isn't quite the right one
    // makes more conflicts, but loses nothing.
    const similar = regenerated?.files.get(path);
    const isDeleted = !yours.has(path) && !movedByYou.has(path);
    if (similar !== undefined) base.set(path, similar);
    // Without its content, it is still known that the file was generated, and that it was deleted.
    else if (isDeleted) base.set(path, new Uint8Array());
    else lacking.push(path);
  }
  if (lacking.length > 0) throw needsBase(input, lacking, regenerated?.problem);
  return base;
}

function gitSources(history: GitHistory): BaseSource[] {
  const byId: BaseSource = async (missing) => {
    const blobs = await history.blobs([...new Set(missing.values())]);
    return new Map([...missing].flatMap(([path, id]) => (blobs.has(id) ? [[path, blobs.get(id) as Uint8Array]] : [])));
  };
  // Records before format 1 have no ids of git's, and a repository may name its objects by SHA-256.
  const byPath: BaseSource = async (missing) => {
    const commits = await history.commitsOf(RECORD);
    const found = new Map<string, Uint8Array>();
    for (const commit of new Set([...commits.slice(0, 1), ...commits.slice(-1)])) {
      for (const [path, content] of await history.filesAt(commit, [...missing.keys()])) found.set(path, content);
    }
    return found;
  };
  return [byId, byPath];
}

function needsBase({ project, baseDirectory }: BaseInput, paths: readonly string[], problem = ""): Failure {
  const { version, answers } = project.record;
  const listed = paths.map((path) => `\n  ${path}`).join("");
  const where =
    baseDirectory === undefined
      ? `is neither in the history of a git repository here, nor could create-session-app ${version} make it again`
      : `isn't in ${quoted(baseDirectory)}`;
  const count = paths.length === 1 ? "a file that you have edited" : `${paths.length} files that you have edited`;
  const command = `npm create session-app@${version} DIR -- ${generatingFlags(answers).join(" ")}`;
  const remedy = answers.added ? "" : ` This makes one:\n  ${command}`;
  const message = `What was generated ${where}, for ${count}:${listed}\nGive a directory with the project as it was generated: --base DIR.${remedy}`;
  return new Failure(1, "NO_BASE", message, { paths, version, output: problem });
}

/** The flags that make a project with these answers again; older versions know them too. */
function generatingFlags({ name, framework, backend, packageManager, minimal }: RecordedAnswers): string[] {
  const flags = ["--framework", framework, "--backend", backend, "--name", name, "--pm", packageManager];
  return [...flags, ...(minimal ? ["--minimal"] : []), "--no-install", "--no-git"];
}
