// Everything that takes a quarter of an hour together, on a machine at rest: peers and the day, then the report.
// `npm run bench -- all [--out FOLDER]`; `npm run bench -- scale` takes another quarter of an hour.

import { join } from "node:path";
import { step } from "../../scripts/step.ts";

const bench = join(import.meta.dirname, "..");
for (const name of ["day", "peers", "report"]) {
  console.log(`\n${name}`);
  const code = await step(process.execPath, [join(bench, name, "run.ts"), ...process.argv.slice(2)]);
  if (code) process.exit(code);
}
