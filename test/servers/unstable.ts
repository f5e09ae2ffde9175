// Servers that Debian stable doesn't have, unpacked from Debian unstable into the folder of downloads.
// Change it when the packages have to be fetched in another way.

import { join } from "node:path";
import { downloaded, program, run } from "./machine.ts";
import { Unavailable } from "./recipe.ts";

const script = join(import.meta.dirname, "unstable.sh");

/** The folder into which the packages are unpacked, as if it were the root of a system. */
export async function unstable(name: string, packages: string[], remedy: string): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") throw new Unavailable(`it needs Linux on x64; ${remedy}`);
  program("apt-get", `there are no Debian packages here; ${remedy}`);
  return downloaded(name, async (folder) => {
    try {
      await run(["bash", script, folder, ...packages]);
    } catch (cause) {
      const lines = (cause as Error).message.trim().split("\n");
      throw new Unavailable(`Debian unstable does not give it (${lines.at(-1)}); ${remedy}`, { cause });
    }
  });
}
