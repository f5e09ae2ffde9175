// Tells how a run goes: lines for people, or one JSON document at the end. What is said is decided here, and nowhere else.
// Change it to word a message otherwise, or to add something to the document.
import type { Answers } from "./answers.ts";
import { Failure } from "./failure.ts";
import { ADDRESS, nextSteps } from "./next-steps.ts";
import { commands, NEEDED_NODE } from "./package-manager.ts";
import type { Plan } from "./plan.ts";
import type { Ended } from "./program.ts";
import type { Repository } from "./repository.ts";
import type { Target } from "./target.ts";
import type { Terminal } from "./terminal.ts";
import { quoted } from "./wording.ts";

interface Decided {
  answers: Answers;
  directory: string;
  plan: Plan;
  version: string;
  dryRun: boolean;
  /** The Node that is too old for the project, when it is. */
  oldNode: string | undefined;
  nodePinned: boolean;
}

export class Report {
  readonly #terminal: Terminal;
  readonly #document: Record<string, unknown> = { ok: true };
  readonly #notes: string[] = [];
  #decided: Decided | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** For --help, --version and --list. */
  print(text: string, document: Record<string, unknown>): void {
    this.#terminal.say(text);
    Object.assign(this.#document, document);
  }

  decided(decided: Decided): void {
    const { answers, directory, plan, version, dryRun, nodePinned } = decided;
    this.#decided = decided;
    Object.assign(this.#document, {
      version,
      dryRun,
      answers: {
        directory: answers.directory,
        name: answers.name,
        framework: answers.framework.id,
        backend: answers.backend.id,
        packageManager: answers.packageManager,
        install: answers.install,
        git: answers.git,
        nodePinned,
      },
      target: directory,
      files: [...plan.keys()],
    });
  }

  /** Something that went otherwise than one would think, and is no failure. */
  note(sentence: string): void {
    this.#notes.push(sentence);
    this.#terminal.note(sentence, "yellow");
  }

  preview(): void {
    const { answers, directory, plan } = this.#known();
    this.#terminal.say(`${what(answers)} would be written to ${quoted(directory)}:`);
    for (const [path, { content }] of plan) {
      this.#terminal.say(`  ${path} ${this.#terminal.paint("dim", size(content.length))}`);
    }
    this.#terminal.say(`${plan.size} files. Nothing was written.`);
    this.#addSteps(nextSteps(answers, directory, false));
  }

  written(target: Target): void {
    const { answers, plan, oldNode, nodePinned } = this.#known();
    const replaced = target.kind === "existing" ? target.replaced : [];
    this.#document.replaced = replaced;
    const more = replaced.length === 0 ? "" : `, ${replaced.length} of them replaced`;
    this.#succeed(`Made ${quoted(answers.name)}: ${what(answers)}, ${plan.size} files${more}.`);
    if (oldNode === undefined) return;
    const remedy = nodePinned
      ? "a current Node comes with its dependencies, and its scripts use it."
      : "yarn can't bring one along, so nothing was installed. Install a newer Node first, or use npm (--pm npm).";
    this.note(`The project needs Node ${NEEDED_NODE} or newer, and this is ${oldNode}: ${remedy}`);
  }

  installed(outcome: Ended, milliseconds: number): void {
    const { answers } = this.#known();
    this.#document.installed = outcome.ok;
    if (outcome.ok) {
      this.#succeed(`Installed with ${answers.packageManager} in ${Math.max(1, Math.round(milliseconds / 1000))} s.`);
      return;
    }
    this.#terminal.note(outcome.output);
    this.#installError = outcome.output;
  }

  #installError: string | undefined;

  repository({ state, output }: Repository): void {
    this.#document.git = state;
    if (state === "committed") this.#succeed("Made a git repository with a first commit.");
    if (state === "initialised") {
      this.#succeed("Made a git repository.");
      if (output !== "") this.note(`git would not commit: ${output}`);
    }
    if (state === "inside") this.note("The directory belongs to a git repository already, so none was made.");
    if (state === "missing") this.note("There is no git here, so no repository was made.");
    if (state === "failed") this.note(`git would not make a repository: ${output}`);
  }

  /** The last words of a run that has written a project; a failure when its dependencies could not be installed. */
  nextSteps(installed: boolean): void {
    const { answers, directory } = this.#known();
    const steps = nextSteps(answers, directory, installed);
    const failed = this.#installError;
    if (failed !== undefined) {
      const { install } = commands[answers.packageManager];
      this.#document.next = steps;
      const message = `${install} failed (its output is above). The project is in ${quoted(directory)}; when the cause is gone, go on with:`;
      throw new Failure(1, "INSTALL", `${message}\n${indented(steps)}`, { output: failed });
    }
    this.#addSteps(steps);
  }

  /** One line, what it was and what would be right; the exit code. */
  fail(error: unknown): number {
    const failure = error instanceof Failure ? error : unexpected(error);
    this.#document.ok = false;
    this.#document.error = { code: failure.code, message: failure.message, ...failure.details };
    const left = failure.exitCode === 130 && this.#document.replaced !== undefined;
    const message = left ? this.#cancelledAfterWriting(failure) : failure.message;
    this.#terminal.note(message, "red");
    return failure.exitCode;
  }

  finish(): void {
    if (this.#notes.length > 0) this.#document.notes = this.#notes;
    this.#terminal.finish(this.#document);
  }

  #cancelledAfterWriting(failure: Failure): string {
    const { answers, directory } = this.#known();
    const installed = this.#document.installed === true;
    const steps = nextSteps(answers, directory, installed);
    this.#document.next = steps;
    const lack = installed ? "" : "; its dependencies are not installed";
    return `${failure.message} The project is in ${quoted(directory)}${lack}. Go on with:\n${indented(steps)}`;
  }

  #addSteps(steps: string[]): void {
    const { answers, dryRun } = this.#known();
    Object.assign(this.#document, { next: steps, url: ADDRESS });
    if (dryRun) return;
    const { server } = answers.backend;
    this.#terminal.say(`\nNext:\n\n${indented(steps.map((step) => this.#terminal.paint("cyan", step)))}\n`);
    if (server !== null) {
      const line = quoted(server.start);
      this.#terminal.say(`It needs ${server.name}, which ${line} starts. If one runs already, leave`);
      this.#terminal.say("that line out, and say in .env where it is.\n");
    }
    this.#terminal.say(`Then open ${ADDRESS}`);
  }

  #succeed(sentence: string): void {
    this.#terminal.say(`${this.#terminal.paint("green", "✔")} ${sentence}`);
  }

  #known(): Decided {
    if (this.#decided === undefined) throw new Error("Nothing has been decided yet.");
    return this.#decided;
  }
}

function what({ framework, backend }: Answers): string {
  return `${framework.label} with ${backend.label}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

function size(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;
}

/** A mistake of ours. The trace is for those who ask for it: NODE_DEBUG=create-session-app. */
function unexpected(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(1, "UNEXPECTED", `create-session-app failed: ${message}`, {}, error);
}
