// The servers under measurement, each a process of its own: starts them, asks them about themselves, ends them.
// Change it when servers need another environment.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A server under measurement, as peers/serve.ts announces it. */
export interface Server {
  name: string;
  child: ChildProcess;
  port: number;
  /** The Cookie headers of its sessions. */
  cookies: string[];
}

const LISTENING = "listening";

const running = new Set<ChildProcess>();

/** Starts a script that calls `announce` as soon as it listens, and waits for that. */
export async function start(name: string, script: string, args: string[]): Promise<Server> {
  const env = { ...process.env, NODE_ENV: "production", SESSION_COOKIE_SECURE: "false" };
  const child = fork(script, args, { env });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const announced = await replyOf<{ port: number; cookies: string[] }>(name, child, LISTENING);
  return { name, child, ...announced };
}

/** What the server replies to a word; `replies` says which there are. Rejects if the server ends instead. */
export async function ask<Reply>({ name, child }: Server, word: string, value?: unknown): Promise<Reply> {
  const reply = replyOf<Reply>(name, child, word);
  // Whoever waits for the reply is told that the server has ended.
  child.send({ word, value }, () => undefined);
  return reply;
}

interface Message {
  word: string;
  value?: unknown;
  error?: string;
}

function replyOf<Value>(name: string, child: ChildProcess, word: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (!running.has(child)) throw new Error(`${name} has ended`);
    const exited = (code: number | null, signal: string | null) => {
      reject(new Error(`${name} ended with ${code ?? signal}`));
    };
    const listen = (message: Message) => {
      if (message.word !== word) return;
      child.off("message", listen).off("exit", exited);
      if (message.error === undefined) resolve(message.value as Value);
      else reject(new Error(`${name}, ${word}: ${message.error}`));
    };
    child.on("message", listen).once("exit", exited);
  });
}

export async function stop(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map(({ child }) => end(child)));
}

/** Ends whatever has been started and still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(end));
}

async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** In a server: what it replies to words. */
export const replies: Record<string, (value: never) => unknown> = {
  usage: () => process.cpuUsage(),
};

/** In a server: says where it listens, and goes on to reply to words. */
export function announce(listening: { port: number; cookies: string[] }): void {
  process.on("message", async ({ word, value }: Message) => {
    try {
      process.send?.({ word, value: await replies[word]?.(value as never) });
    } catch (error) {
      process.send?.({ word, error: (error as Error).message });
    }
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ word: LISTENING, value: listening });
}
