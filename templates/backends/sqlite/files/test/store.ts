// The store that the tests use: a SQLite file in the system's temporary folder.
// Change it when it needs other settings in tests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "sessions-test-"));

export const testEnvironment: Record<string, string> = { SQLITE_FILE: join(folder, "sessions.db") };

export async function cleanUp(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
}
