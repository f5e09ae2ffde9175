// Makes the tables and charts of docs/performance.md from the results, without measuring anything.
// `npm run bench -- report [--out FOLDER]`

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
const charts = join(docs, "charts");
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
  draw("scale", "CPU time of a read by the number of sessions", await sizes(scale));
}

const file = join(docs, "performance.md");
const page = readFileSync(file, "utf8");
const [before = "", rest = ""] = page.split(BEGIN);
const after = rest.split(END)[1] ?? "";
writeFileSync(file, `${before.trimEnd()}\n\n${BEGIN}\n\n${parts.join("\n\n")}\n\n${END}\n${after}`);
console.log(`docs/performance.md: ${parts.length} tables and charts`);
