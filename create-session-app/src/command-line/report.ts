// Reports how a run goes: lines for people, or one JSON document at its end. The commands decide what is reported.
// Change it to report in another form.
import type { ExitCode } from "./failure.ts";
import { Failure, unexpected } from "./failure.ts";
import type { Style, Terminal } from "./terminal.ts";

export class Report {
  readonly #terminal: Terminal;
  readonly #document: Record<string, unknown> = { ok: true };
  readonly #notes: string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Adds to the document. */
  set(properties: Record<string, unknown>): void {
    Object.assign(this.#document, properties);
  }

  /** A line for people, on stdout. */
  say(line: string): void {
    this.#terminal.say(line);
  }

  /** A step that is done. */
  succeed(sentence: string): void {
    this.#terminal.say(`${this.#terminal.paint("green", "✔")} ${sentence}`);
  }

  /** Something unexpected that is no failure. It goes to stderr and into the document. */
  note(sentence: string): void {
    this.#notes.push(sentence);
    this.#terminal.note(sentence, "yellow");
  }

  /** What another program has printed, as it is. */
  quote(output: string): void {
    this.#terminal.note(output);
  }

  /** Text for `say`, in a colour where the terminal has colours. */
  paint(style: Style, text: string): string {
    return this.#terminal.paint(style, text);
  }

  /** Shows that `what` goes on until the returned function is called. */
  progress(what: string): () => void {
    return this.#terminal.progress(what);
  }

  /** Reports what failed and what would be right; returns the exit code. */
  fail(error: unknown): ExitCode {
    const failure = error instanceof Failure ? error : unexpected(error);
    this.set({ ok: false, error: { code: failure.code, message: failure.message, ...failure.details } });
    this.#terminal.note(failure.message, "red");
    return failure.exitCode;
  }

  /** Prints the document, with --json. */
  finish(): void {
    if (this.#notes.length > 0) this.set({ notes: this.#notes });
    this.#terminal.finish(this.#document);
  }
}
