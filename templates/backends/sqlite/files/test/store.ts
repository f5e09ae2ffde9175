// The session store that this project's tests run against: a SQLite file of their own in the system's temporary folder.
// Change it when the store needs other settings in tests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "sessions-test-"));

export const testEnvironment: Record<string, string> = { SQLITE_FILE: join(folder, "sessions.db") };

export async function cleanUp(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
}
