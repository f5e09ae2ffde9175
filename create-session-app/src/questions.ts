// Asks what is still open, one question after another, through `prompts`.
// Change it to word a question otherwise.
import type { PromptObject } from "prompts";
import prompts from "prompts";
import type { OpenAnswers } from "./answers.ts";
import { DEFAULT_DIRECTORY, defaultOf, ids, needsName } from "./answers.ts";
import type { Catalog, Pack } from "./catalog.ts";
import { cancelled } from "./failure.ts";
import type { PackageManager } from "./package-manager.ts";
import { commands } from "./package-manager.ts";
import { directoryProblem, nameProblem } from "./project-name.ts";

/** Rejects when a question is cancelled, or `signal` is aborted meanwhile. */
export async function askOpen(
  open: OpenAnswers,
  catalog: Catalog,
  manager: PackageManager,
  signal: AbortSignal,
): Promise<OpenAnswers> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([askAll(open, catalog, manager), aborted]);
  } catch (error) {
    if (signal.aborted) releaseTerminal();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** A question that a signal cut short has hidden the cursor, and still reads the keys. */
function releaseTerminal(): void {
  process.stdin.setRawMode(false).pause();
  process.stdout.write("\x1b[?25h\n");
}

async function askAll(open: OpenAnswers, catalog: Catalog, manager: PackageManager): Promise<OpenAnswers> {
  const answers: OpenAnswers = { ...open };
  if (answers.directory === undefined) {
    answers.directory = await ask<string>({
      type: "text",
      message: "Directory",
      initial: DEFAULT_DIRECTORY,
      format: (typed: string) => typed.trim() || DEFAULT_DIRECTORY,
      validate: (typed: string) => capital(directoryProblem(typed.trim() || DEFAULT_DIRECTORY)),
    });
  }
  if (needsName(answers)) {
    answers.name = await ask<string>({
      type: "text",
      message: "Package name",
      initial: DEFAULT_DIRECTORY,
      validate: (typed: string) => capital(nameProblem(typed || DEFAULT_DIRECTORY)),
    });
  }
  answers.framework ??= await pick("Framework", catalog.frameworks);
  answers.backend ??= await pick("Session backend", catalog.backends);
  answers.install ??= await confirm(`Run ${commands[manager].install} now?`);
  answers.git ??= await confirm("Make a git repository?");
  return answers;
}

function pick(message: string, packs: readonly Pack[]): Promise<string> {
  return ask<string>({
    type: "select",
    message,
    hint: "arrows, then Enter",
    initial: Math.max(ids(packs).indexOf(defaultOf(packs) ?? ""), 0),
    choices: packs.map(({ id, label, hint }) => ({ title: label, value: id, description: hint })),
  });
}

function confirm(message: string): Promise<boolean> {
  return ask<boolean>({ type: "confirm", message, initial: true });
}

/** Ctrl-C, Ctrl-D and Esc all cancel: `prompts` then leaves the answer out. */
async function ask<Answer>(question: Omit<PromptObject<"answer">, "name">): Promise<Answer> {
  const { answer } = await prompts({ ...question, name: "answer" });
  if (answer === undefined) throw cancelled();
  return answer as Answer;
}

/** `prompts` wants true, or the message to show. */
function capital(problem: string | undefined): true | string {
  return problem === undefined ? true : `${problem[0]?.toUpperCase()}${problem.slice(1)}.`;
}
