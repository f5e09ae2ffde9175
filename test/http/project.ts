// Runs a project as its user would, in a process of its own, and stops it again.
// Change it when a project starts, or says that it has started, in another way.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const START_TIMEOUT_MS = 40_000;
const STOP_TIMEOUT_MS = 12_000;

export class Project {
  readonly folder: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  #url = "";
  #output = "";

  /** @param env on top of PORT=0; nothing else of this process's environment is handed on */
  constructor(folder: string, env: Record<string, string> = {}) {
    this.folder = folder;
    this.#env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", PORT: "0", ...env };
  }

  /** Where it listens; another port after each start. */
  get url(): string {
    return this.#url;
  }

  /** What it has printed so far, on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ["src/main.ts"], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const from = this.#output.length;
    this.#url = await new Promise<string>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.folder} ${why}:\n${this.#output.slice(from)}`));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`did not start within ${START_TIMEOUT_MS / 1000} s`);
      }, START_TIMEOUT_MS);
      child.on("exit", (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${signal ?? code} instead of listening`);
      });
      const read = (piece: Buffer) => {
        this.#output += piece.toString();
        const url = /Listening on (http:\/\/\S+)/.exec(this.#output.slice(from))?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
    });
  }

  /** Asks it to stop and waits until it has; it must do so by itself, with exit code 0. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    child.kill("SIGTERM");
    try {
      const [code, signal] = await exit;
      if (code !== 0) throw new Error(`${this.folder} ended with ${signal ?? code} after SIGTERM:\n${this.#output}`);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}
