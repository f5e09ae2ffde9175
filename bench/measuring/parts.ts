// A benchmark's parts: one that fails or hangs is reported and loses only its own results.
// Change it when a part may take longer.

import { type Server, stopAll } from "./servers.ts";

/** One line for each part that failed. */
export const failures: string[] = [];

/** Runs one part, which may take so many minutes, and ends the servers that it has started. */
export async function part(name: string, minutes: number, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${minutes} minutes`)), minutes * 60_000);
  });
  console.log(`\n${name}`);
  await attempt(name, () => Promise.race([work(), timeout]));
  console.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  clearTimeout(timer);
  await stopAll();
}

/** Does something whose failure costs nothing else. Resolves to whether it went well. */
export async function attempt(name: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    failures.push(`${name}: ${(error as Error).message}`);
    console.error(`${name} failed:`, error);
    return false;
  }
}

/** Does the same with each of the servers in turn, in reversed order every other time. One that fails gets no more turns. */
export async function inTurns(
  servers: readonly Server[],
  count: number,
  work: (server: Server) => Promise<unknown>,
): Promise<void> {
  const failed = new Set<Server>();
  for (let turn = 0; turn < count; turn++) {
    for (const server of turn % 2 === 0 ? servers : servers.toReversed()) {
      if (!failed.has(server) && !(await attempt(server.name, () => work(server)))) failed.add(server);
    }
  }
}

/** Ends the process. The exit code is 1 if a part failed, after the others have been measured. */
export function finish(): never {
  for (const failure of failures) console.error(`Failed: ${failure}`);
  process.exit(failures.length > 0 ? 1 : 0);
}
