// Loaded before the CLI (node --require): something happens right before one of its changes to the disk.
// Change it when the CLI changes the disk through another function of node:fs.
const fs = require("node:fs");
const { execFileSync } = require("node:child_process");

/**
 * { at: the number of the change, or before: "renameSync …" (a pattern of it); signal: to this process, or script: for sh,
 * or full: from now on nothing can be made; pid: the number that the process takes for its own }
 */
const { at, before, signal, script, full, pid } = JSON.parse(process.env.INTERFERENCE);
const ownPid = process.pid;
if (pid !== undefined) Object.defineProperty(process, "pid", { value: pid });

const CHANGES = [
  "mkdirSync",
  "writeFileSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
  "rmdirSync",
  "rmSync",
  "writeSync",
  "fsyncSync",
];
let count = 0;
let done = false;

for (const name of CHANGES) {
  const original = fs[name];
  fs[name] = (...parameters) => {
    count++;
    const change = `${name} ${parameters.filter((value) => typeof value === "string").join(" ")}`;
    if (!done && (count === at || (before !== undefined && new RegExp(before).test(change)))) {
      done = true;
      if (script !== undefined) execFileSync("sh", ["-c", script]);
      if (signal !== undefined) process.kill(ownPid, signal);
    }
    // Moving and removing take no space, and 1 and 2 are where it speaks.
    if (done && full && !(parameters[0] < 3) && /^(mkdir|writeFile|write|link)Sync/.test(name)) {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    }
    return original(...parameters);
  };
}

// Modules have their own copies of the names that they import.
require("node:module").syncBuiltinESMExports();

process.on("exit", () => {
  if (process.env.INTERFERENCE_COUNT) fs.appendFileSync(process.env.INTERFERENCE_COUNT, `${count}\n`);
});
