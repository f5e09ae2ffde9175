// What every command is given.
import type { Flags } from "../command-line/arguments.ts";
import type { Report } from "../command-line/report.ts";
import type { Terminal } from "../command-line/terminal.ts";
import type { Assets } from "../packs/assets.ts";

export interface CommandInput {
  flags: Flags;
  assets: Assets;
  report: Report;
  terminal: Terminal;
  /** Aborted when the run is cancelled. */
  signal: AbortSignal;
}
