// Waits for conditions, never for time.
// Change it to wait longer for servers on a slower machine.

const PATIENCE = 30_000;

/** Rejects when the condition doesn't come true. */
export async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = Date.now() + PATIENCE; Date.now() < until; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("what was waited for never came");
}
