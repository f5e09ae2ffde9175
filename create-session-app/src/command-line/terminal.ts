// The two streams that a run prints to: colours only where a terminal shows them, a spinner only where somebody watches.
// Change it to make the output look otherwise.

/** What switches each style on. (Node's own styleText isn't in the first releases of Node 20.) */
const STYLES = { dim: "\x1b[2m", red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m", cyan: "\x1b[36m" } as const;

export type Style = keyof typeof STYLES;

export interface Terminal {
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
  /** To stdout: results. With --json, nothing. */
  say(line: string): void;
  /** To stderr: errors and what happens meanwhile. */
  note(line: string, style?: Style): void;
  /** For what goes to stdout. */
  paint(style: Style, text: string): string;
  /** The last output of a run: with --json, the document. */
  finish(document: object): void;
  /** Shows that `what` goes on until the returned function is called. */
  progress(what: string): () => void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export function openTerminal(json: boolean): Terminal {
  const { env, stdout, stderr } = process;
  // The reader of our output may have stopped reading (`| head`), which is no failure of this run.
  for (const stream of [stdout, stderr]) stream.on("error", ignoreBrokenPipe);
  const painted = (stream: NodeJS.WriteStream, style: Style, text: string) =>
    stream.isTTY && env.NO_COLOR === undefined && env.TERM !== "dumb" ? `${STYLES[style]}${text}\x1b[0m` : text;
  return {
    get interactive() {
      return !json && process.stdin.isTTY === true && stdout.isTTY === true && !isAutomated(env.CI);
    },
    say(line) {
      if (!json) stdout.write(`${line}\n`);
    },
    note(line, style) {
      stderr.write(`${style === undefined ? line : painted(stderr, style, line)}\n`);
    },
    paint: (style, text) => painted(stdout, style, text),
    finish(document) {
      if (json) stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    },
    progress(what) {
      if (stderr.isTTY && !json && env.TERM !== "dumb") return spin(what);
      stderr.write(`${what}...\n`);
      return () => {};
    },
  };
}

/** Some build servers run their jobs on a pseudo-terminal, where nobody answers. They all set CI. */
function isAutomated(ci: string | undefined): boolean {
  return ci !== undefined && !["", "0", "false"].includes(ci.toLowerCase());
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
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
