// The two streams that a run speaks through: colours where they are seen, no progress where nobody looks.
// Change it to make the output look otherwise.
import { fstatSync, writeSync } from "node:fs";
import { isCode } from "./target.ts";

/** What switches each style on. (Node's own styleText isn't in the first releases of Node 20.) */
const STYLES = { dim: "\x1b[2m", red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m", cyan: "\x1b[36m" } as const;

type Style = keyof typeof STYLES;

export interface Terminal {
  /** Somebody can be asked. */
  readonly interactive: boolean;
  /** To stdout: results. */
  say(line: string): unknown;
  /** To stderr: errors and what happens meanwhile. */
  note(line: string, style?: Style): void;
  /** For what goes to stdout. */
  paint(style: Style, text: string): string;
  /** The run's last word: with --json, the document. */
  finish(document: object): unknown;
  /** Shows that `what` goes on until the returned function is called. */
  progress(what: string): () => void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export function openTerminal(json: boolean): Terminal {
  const { env } = process;
  const stdout = once(() => openOutput(1, () => process.stdout));
  const stderr = once(() => openOutput(2, () => process.stderr));
  const painted = (output: Output, style: Style, text: string) =>
    output.isTTY && env.NO_COLOR === undefined && env.TERM !== "dumb" ? `${STYLES[style]}${text}\x1b[0m` : text;
  return {
    get interactive() {
      return !json && process.stdin.isTTY === true && stdout().isTTY;
    },
    say: (line) => json || stdout().write(`${line}\n`),
    note: (line, style) => stderr().write(`${style === undefined ? line : painted(stderr(), style, line)}\n`),
    paint: (style, text) => painted(stdout(), style, text),
    finish: (document) => json && stdout().write(`${JSON.stringify(document, null, 2)}\n`),
    progress(what) {
      if (stderr().isTTY && !json && env.TERM !== "dumb") return spin(what);
      stderr().write(`${what}...\n`);
      return () => {};
    },
  };
}

interface Output {
  isTTY: boolean;
  write(text: string): void;
}

/** Node's own streams take 3 ms to load, so they are used only where there may be a terminal. */
function openOutput(descriptor: number, stream: () => NodeJS.WriteStream): Output {
  if (fstatSync(descriptor).isCharacterDevice()) {
    const { isTTY } = stream();
    return { isTTY: isTTY === true, write: (text) => void stream().write(text) };
  }
  return { isTTY: false, write: (text) => writeAll(descriptor, Buffer.from(text)) };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let start = 0; start < bytes.length; ) {
    try {
      start += writeSync(descriptor, bytes, start);
    } catch (error) {
      // Whoever reads us may stop reading (`| head`): that is no error.
      if (isCode(error, "EPIPE")) return;
      // A pipe that another program has made non-blocking is full for the moment.
      if (!isCode(error, "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function once<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

/** One line that is rewritten; it is cut to the terminal's width, since a wrapped line can't be rewritten. */
function spin(what: string): () => void {
  const { stderr } = process;
  const started = Date.now();
  let frame = 0;
  const draw = () => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    const line = `${FRAMES[frame++ % FRAMES.length]} ${what}${seconds > 0 ? ` ${seconds} s` : ""}`;
    stderr.write(`\r\x1b[2K${line.slice(0, Math.max(stderr.columns - 1, 10))}`);
  };
  draw();
  const timer = setInterval(draw, 100);
  return () => {
    clearInterval(timer);
    stderr.write("\r\x1b[2K");
  };
}
