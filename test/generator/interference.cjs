// Loaded before the CLI (node --require): something happens right before one of its changes to the disk.
// Change it when the CLI changes the disk through another function of node:fs.
const fs = require("node:fs");
const { execFileSync } = require("node:child_process");

/** { at: the number of the change, or before: "renameSync …" (a pattern of it); signal: to this process, or script: for sh } */
const { at, before, signal, script } = JSON.parse(process.env.INTERFERENCE);

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
      if (signal !== undefined) process.kill(process.pid, signal);
    }
    return original(...parameters);
  };
}

process.on("exit", () => {
  if (process.env.INTERFERENCE_COUNT) fs.appendFileSync(process.env.INTERFERENCE_COUNT, `${count}\n`);
});
