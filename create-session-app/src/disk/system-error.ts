// Errors of the file system, as one line that a user understands.
// Change it to explain another error code.
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";

const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  EIO: "the device reports an error",
};

/** The failure that reports what the system said about a path. */
export function diskFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new Failure(1, code || "DISK", `Can't write to ${quoted(path)}: ${reason}.`, {}, error);
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
