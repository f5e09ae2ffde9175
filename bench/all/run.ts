// Everything that takes a quarter of an hour together, on a machine at rest: peers and the day, then the report.
// `npm run bench [-- all --out FOLDER --rounds N …]`; what else it is given goes to the peers. `npm run bench -- scale` takes as long again.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { step } from "../../scripts/step.ts";
import { RESULTS } from "../measuring/results.ts";

const bench = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string", default: RESULTS } }, strict: false });
const toAll = ["--out", String(values.out)];
let failed = 0;
for (const name of ["peers", "day", "report"]) {
  console.log(`\n${name}, at ${new Date().toTimeString().slice(0, 8)}`);
  // What the others have measured is reported even if one fails.
  const given = name === "peers" ? process.argv.slice(2) : toAll;
  const code = await step(process.execPath, [join(bench, name, "run.ts"), ...given]);
  failed ||= code;
}
process.exitCode = failed;
