// `npm run bench -- NAME …`: installs what the benchmark measures against, then runs bench/NAME/run.ts. Without a name it runs `all`.
// Change it when a benchmark needs more than its folder.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./packs.ts";
import { step } from "./step.ts";

const bench = join(repository, "bench");

function benchmarks(): string[] {
  return readdirSync(bench)
    .filter((name) => existsSync(join(bench, name, "run.ts")))
    .sort();
}

/** The peers are installed in bench/ or the benchmark's own folder when it is run, so that the repository doesn't depend on them. */
async function install(folder: string): Promise<number> {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return 0;
  const stamp = join(folder, "node_modules", ".installed-manifest");
  const wanted = readFileSync(manifest, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return 0;
  console.error("Installing the packages that it is measured against (once) …");
  const locked = existsSync(join(folder, "package-lock.json"));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const code = await step("npm", [locked ? "ci" : "install", "--prefix", folder, "--workspaces=false", ...quiet]);
  if (code === 0) writeFileSync(stamp, wanted);
  return code;
}

const [name = "all", ...args] = process.argv.slice(2);
if (!benchmarks().includes(name)) {
  console.error(`bench: there is no ${name}; there are ${benchmarks().join(", ")}`);
  process.exit(2);
}
const folder = join(bench, name);
process.exitCode =
  (await install(bench)) ||
  (await install(folder)) ||
  (await step(process.execPath, [join(folder, "run.ts"), ...args]));
