// The store that the tests use: memory, of each test's own process.
// Change it when it needs other settings in tests.

export const testEnvironment: Record<string, string> = { SESSION_MAX_SESSIONS: "1000" };

/** Nothing outlives the process. */
export async function cleanUp(): Promise<void> {}
