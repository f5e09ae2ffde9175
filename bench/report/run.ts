// Makes the tables and charts of docs/performance.md from the results, without measuring anything.
// `npm run bench -- report [--out FOLDER]`: results from another folder make a page there, and leave docs as it is.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../../scripts/packs.ts";
import type { Day } from "../day/run.ts";
import { load, RESULTS } from "../measuring/results.ts";
import type { Peers } from "../peers/run.ts";
import type { Scale } from "../scale/run.ts";
import { latencies, ratios, sizes, writes } from "./charts.ts";
import { dayTable, peerTables, scaleTables } from "./tables.ts";

const BEGIN = "<!-- Made by `npm run bench -- report` from docs/benchmarks. -->";
const END = "<!-- The end of what is made. -->";

const { values } = parseArgs({ options: { out: { type: "string", default: RESULTS } } });
const docs = join(repository, "docs");
const target = values.out === RESULTS ? docs : values.out;
const charts = join(target, "charts");
mkdirSync(charts, { recursive: true });

const parts: string[] = [];

function draw(name: string, description: string, image: string): void {
  writeFileSync(join(charts, `${name}.svg`), image);
  parts.push(`![${description}](charts/${name}.svg)`);
}

const peers = load<Peers>(values.out, "peers");
if (peers !== undefined) {
  parts.push(peerTables(peers));
  draw("ratios", "CPU time of each peer divided by ours", await ratios(peers));
  draw("latencies", "Latency of ours and of the peers at the same offered load", await latencies(peers));
}
const day = load<Day>(values.out, "day");
if (day !== undefined) {
  parts.push(dayTable(day));
  draw("day", "Writes by the hour, ours and express-session's", await writes(day));
}
const scale = load<Scale>(values.out, "scale");
if (scale !== undefined) {
  parts.push(scaleTables(scale));
  draw("scale", "Reads per second by the number of sessions, compared with the fewest", await sizes(scale));
}

if (parts.length === 0) {
  console.error(`report: there are no results in ${values.out}`);
  process.exit(1);
}

const page = readFileSync(join(docs, "performance.md"), "utf8");
const [before = "", rest] = page.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) {
  console.error(`report: docs/performance.md has lost one of the lines between which tables go: ${BEGIN} and ${END}`);
  process.exit(1);
}
const made = [BEGIN, ...parts, END].join("\n\n");
const file = join(target, "performance.md");
writeFileSync(file, `${[before.trim(), made, after.trim()].join("\n\n").trim()}\n`);
console.log(`${file}: ${parts.length} tables and charts`);
