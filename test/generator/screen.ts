// A terminal as a person meets it: a pseudo-terminal with a screen that follows the cursor.
// Change it when the CLI uses a control sequence that it doesn't know: it throws on one.
import type { IPty } from "node-pty";
import { spawn } from "node-pty";
import { afterEach } from "vitest";
import { environment } from "./sandbox.ts";

const open: Person[] = [];

afterEach(() => {
  for (const person of open.splice(0)) person.leave();
});

export const KEYS = {
  up: "\x1b[A",
  down: "\x1b[B",
  enter: "\r",
  escape: "\x1b",
  backspace: "\x7f",
  ctrlC: "\x03",
  ctrlD: "\x04",
};

interface Seat {
  cwd: string;
  columns?: number;
  rows?: number;
  env?: Record<string, string | undefined>;
}

/** Somebody at a terminal in which a program runs. */
export class Person {
  readonly #pty: IPty;
  readonly #screen: Screen;
  /** Everything that was printed, control sequences and all. */
  raw = "";
  #exit: { code: number; signal: number } | undefined;
  #watchers: (() => void)[] = [];

  constructor(program: string, parameters: string[], { cwd, columns = 80, rows = 24, env = {} }: Seat) {
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = environment();
    const variables = { ...inherited, TERM: "xterm-256color", ...env };
    this.#screen = new Screen(columns, rows);
    this.#pty = spawn(program, parameters, { cwd, cols: columns, rows, env: variables, name: "xterm-256color" });
    this.#pty.onData((data) => {
      this.raw += data;
      this.#screen.write(data);
      this.#notify();
    });
    this.#pty.onExit(({ exitCode, signal }) => {
      this.#exit = { code: exitCode, signal: signal ?? 0 };
      this.#notify();
    });
    open.push(this);
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The lines that are seen now, without the empty ones at the end. */
  get seen(): string {
    return this.#screen.text();
  }

  get cursorHidden(): boolean {
    return this.#screen.cursorHidden;
  }

  /** Types once `awaited` is on the screen. */
  async type(awaited: string | RegExp, ...keys: string[]): Promise<void> {
    await this.sees(awaited);
    for (const key of keys) this.#pty.write(key);
  }

  async sees(awaited: string | RegExp): Promise<void> {
    await this.#until(
      () => (typeof awaited === "string" ? this.seen.includes(awaited) : awaited.test(this.seen)),
      `${awaited}`,
    );
  }

  /** Waits for the bell to have rung so many times. */
  async hears(times: number): Promise<void> {
    await this.#until(() => this.raw.split("\x07").length > times, `bell ${times}`);
  }

  async exit(): Promise<number> {
    await this.#until(() => this.#exit !== undefined, "the end");
    return this.#exit?.signal ? -this.#exit.signal : (this.#exit?.code ?? -1);
  }

  leave(): void {
    if (this.#exit === undefined) this.#pty.kill("SIGKILL");
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`waited for ${what}; seen:\n${this.seen}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #notify(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}

/** As much of a terminal as line-based programs use. */
class Screen {
  readonly #columns: number;
  readonly #rows: number;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #saved: [row: number, column: number] = [0, 0];
  #rest = "";
  cursorHidden = false;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  text(): string {
    return this.#lines
      .map((line) =>
        Array.from(line, (cell) => cell ?? " ")
          .join("")
          .trimEnd(),
      )
      .join("\n")
      .trimEnd();
  }

  write(data: string): void {
    let input = this.#rest + data;
    this.#rest = "";
    while (input !== "") {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what it reads.
      const sequence = /^\x1b\[(\??)([\d;]*)([A-Za-z])/.exec(input);
      if (sequence !== null) {
        this.#control(sequence[1] === "?", sequence[2] ?? "", sequence[3] ?? "");
        input = input.slice(sequence[0].length);
      } else if (input.startsWith("\x1b7") || input.startsWith("\x1b8")) {
        if (input[1] === "7") this.#saved = [this.#row, this.#column];
        else this.#moveTo(...this.#saved);
        input = input.slice(2);
      } else if (input.startsWith("\x1b")) {
        if (input.length > 20) throw new Error(`unknown sequence ${JSON.stringify(input.slice(0, 20))}`);
        this.#rest = input;
        return;
      } else {
        const [letter = ""] = input;
        this.#put(letter);
        input = input.slice(letter.length);
      }
    }
  }

  #put(letter: string): void {
    if (letter === "\n") this.#moveTo(this.#row + 1, this.#column);
    else if (letter === "\r") this.#column = 0;
    else if (letter === "\b") this.#column = Math.max(this.#column - 1, 0);
    else if (letter >= " ") {
      if (this.#column >= this.#columns) this.#moveTo(this.#row + 1, 0);
      const line = this.#lines[this.#row] ?? [];
      line[this.#column++] = letter;
    }
  }

  #moveTo(row: number, column: number): void {
    const top = Math.max(this.#lines.length - this.#rows, 0);
    this.#row = Math.max(row, top);
    this.#column = Math.min(Math.max(column, 0), this.#columns);
    while (this.#lines.length <= this.#row) this.#lines.push([]);
  }

  #control(isPrivate: boolean, parameters: string, final: string): void {
    const count = Number(parameters.split(";")[0] || 1);
    if (isPrivate) {
      if (parameters === "25") this.cursorHidden = final === "l";
      else if (parameters !== "2004") throw new Error(`unknown mode ${parameters}`);
      return;
    }
    const line = this.#lines[this.#row] ?? [];
    const moves: Record<string, () => void> = {
      A: () => this.#moveTo(this.#row - count, this.#column),
      B: () => this.#moveTo(this.#row + count, this.#column),
      C: () => this.#moveTo(this.#row, this.#column + count),
      D: () => this.#moveTo(this.#row, this.#column - count),
      G: () => this.#moveTo(this.#row, count - 1),
      J: () => {
        line.length = Math.min(line.length, this.#column);
        this.#lines.length = this.#row + 1;
      },
      K: () => {
        if (parameters === "2") line.length = 0;
        else if (parameters === "1") line.fill(" ", 0, this.#column);
        else line.length = Math.min(line.length, this.#column);
      },
      m: () => {},
    };
    const move = moves[final];
    if (move === undefined) throw new Error(`unknown sequence CSI ${parameters}${final}`);
    move();
  }
}
