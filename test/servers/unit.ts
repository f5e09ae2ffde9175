// One process of a server, with everything that a fault test does to it.
// Change it to do something new to a server: the signals are sent from here, to the whole tree of processes.

import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { confined, run } from "./machine.ts";
import type { UnitPlan } from "./recipe.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

export class Unit {
  readonly #plan: UnitPlan;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(plan: UnitPlan) {
    this.#plan = plan;
  }

  /** Resolves once it serves. */
  async start(): Promise<void> {
    if (this.#running()) throw new Error("it runs already");
    const [file, ...args] = confined(this.#plan.command, this.#plan.unprivileged);
    // Detached: Ctrl-C in the terminal must reach the keeper only, which then stops its servers in order.
    const child = spawn(file ?? "", args, {
      cwd: "/",
      env: { ...process.env, ...this.#plan.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    let output = "";
    this.#ended = new Promise((resolve) => {
      child.once("close", () => resolve());
      child.once("error", (error) => {
        output += error.message;
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.#plan.command[0]} ${why}\n${output.slice(-4000)}`));
      const timer = setTimeout(() => fail("did not come up in time"), START_TIMEOUT_MS);
      let serving = false;
      const listen = (text: Buffer) => {
        if (serving) return;
        output += text;
        if (!this.#plan.ready(output)) return;
        serving = true;
        clearTimeout(timer);
        resolve();
      };
      child.stdout?.on("data", listen);
      child.stderr?.on("data", listen);
      void this.#ended.then(() => {
        clearTimeout(timer);
        fail("ended before it served");
      });
    });
  }

  /** Shuts it down properly. */
  async stop(): Promise<void> {
    if (!this.#running()) return;
    await this.resume();
    this.#child?.kill(this.#plan.stopSignal);
    const timer = setTimeout(() => void this.#signal("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends it as a crash would: nothing is written back, no client is told. */
  async kill(): Promise<void> {
    await this.#signal("SIGKILL");
    await this.#ended;
  }

  /** Makes it hang: connections stay open, and the system accepts new ones, but nothing responds. */
  pause(): Promise<void> {
    return this.#signal("SIGSTOP");
  }

  resume(): Promise<void> {
    return this.#signal("SIGCONT");
  }

  #running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    const pid = this.#child?.pid;
    if (!pid || !this.#running()) return;
    // The parent first: once stopped, it starts no more children while the others are looked up.
    send(pid, signal === "SIGKILL" ? "SIGSTOP" : signal);
    const tree = [pid, ...(await descendants(pid))];
    for (const process of tree) send(process, signal);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // The process has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** PostgreSQL puts each of its processes into a session of its own, so a process group would not reach them. */
async function descendants(ancestor: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of await processes()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(ancestor);
}

/** Every process on the machine, with its parent. On Linux it reads /proc, because a slim Debian has no `ps`. */
async function processes(): Promise<[pid: number, parent: number][]> {
  if (process.platform !== "linux") {
    const lines = (await run(["ps", "-A", "-o", "pid=,ppid="])).trim().split("\n");
    return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  }
  const found: [number, number][] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    // "pid (name, which may hold anything) state parent …"
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (stat) found.push([Number(entry), parent]);
  }
  return found;
}
