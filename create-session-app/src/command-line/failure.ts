// How a run ends without success: a code for programs, one line for people, an exit code.
// Change it when there is a new kind of ending; every other file throws only this.

/** 1: it failed. 2: it was called wrongly. 130: it was cancelled. */
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

/** The caller asked for something that doesn't exist: exit code 2. */
export function wrongUsage(message: string, details: Record<string, unknown> = {}): Failure {
  return new Failure(2, "USAGE", message, details);
}

/** Ctrl-C, Esc or a signal: exit code 130. */
export function cancelled(): Failure {
  return new Failure(130, "CANCELLED", "Cancelled.");
}

/** A mistake of ours. The trace is for those who ask for it: NODE_DEBUG=create-session-app. */
export function unexpected(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(1, "UNEXPECTED", `create-session-app failed: ${message}`, {}, error);
}
