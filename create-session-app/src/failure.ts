// How a run ends without success: a code for programs, one line for people, an exit code.
// Change it to tell a new kind of ending apart; every other file throws only this.

/** 1: it failed. 2: it was called wrongly. 130: cancelled. */
export type ExitCode = 1 | 2 | 130;

export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  /** For programs that read `--json`: stable, in capitals. */
  readonly code: string;
  /** More for `--json`: the flags to give, the colliding paths, the package manager's output. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.code = code;
    this.details = details;
  }
}

/** The caller asked for something that there isn't: exit code 2. */
export function wrongUsage(message: string, details: Record<string, unknown> = {}): Failure {
  return new Failure(2, "USAGE", message, details);
}

/** Ctrl-C, Esc or a signal: exit code 130. */
export function cancelled(): Failure {
  return new Failure(130, "CANCELLED", "Cancelled.");
}
