// Clients that write one value after the other and remember the last one that was confirmed: the store must have it.
// Change it to put another kind of load on a project.
import { randomInt } from "node:crypto";

const PAUSE_MS = 20;
/** How long a client waits for a response. */
const TIMEOUT_MS = 30_000;

export interface Report {
  requests: number;
  refused: number;
  lost: number;
  /** From the end of the fault to the first success of the client that waited longest. */
  secondsToRecover: number;
}

/** One Bearer client that counts up in a key of its own session. */
class Writer {
  readonly #url: () => string;
  #token = "";
  #running: Promise<void> | undefined;
  #stopped = false;
  /** The last value that the app confirmed. */
  confirmed = 0;
  requests = 0;
  refused = 0;
  /** When the last success came, by performance.now(). */
  lastSuccess = 0;
  /** Responses that no client should ever see. */
  readonly surprises: string[] = [];

  constructor(url: () => string) {
    this.#url = url;
  }

  async begin(): Promise<void> {
    const response = await fetch(`${this.#url()}/session`, { method: "POST" });
    this.#token = ((await response.json()) as { token: string }).token;
    this.#running = this.#write();
  }

  async end(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** The value in the store. */
  async stored(): Promise<number> {
    for (;;) {
      const response = await fetch(`${this.#url()}/session`, { headers: this.#headers });
      const body = (await response.json()) as { data?: { count?: number } };
      if (response.ok) return body.data?.count ?? 0;
      // A missing session is a loss; a busy store is not.
      if (response.status !== 503) return -1;
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const value = this.confirmed + 1;
      this.requests++;
      try {
        const body = JSON.stringify({ value });
        const init = { method: "PUT", headers: this.#headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) };
        const response = await fetch(`${this.#url()}/session/data/count`, init);
        const text = await response.text();
        if (response.ok) {
          this.confirmed = value;
          this.lastSuccess = performance.now();
          continue;
        }
        this.refused++;
        if (response.status !== 503) this.surprises.push(`${response.status} ${text}`);
        else if (!response.headers.has("retry-after")) this.surprises.push("503 without Retry-After");
      } catch (error) {
        // The app itself is down. Where it shouldn't be, the test notices by `refused` and by what is stored.
        this.refused++;
        if ((error as Error).name === "TimeoutError") this.surprises.push("no response at all");
      }
      await new Promise((resume) => setTimeout(resume, randomInt(PAUSE_MS)));
    }
  }
}

/** Puts load on a project while `fault` happens, and counts refused requests and lost writes. */
export async function underLoad(
  url: () => string,
  fault: () => Promise<void>,
): Promise<Report & { surprises: string[] }> {
  const writers = Array.from({ length: 8 }, () => new Writer(url));
  await Promise.all(writers.map((writer) => writer.begin()));
  const all = (condition: (writer: Writer) => boolean) => until(() => writers.every(condition));
  await all(({ confirmed }) => confirmed >= 20);
  await fault();
  const over = performance.now();
  await all(({ lastSuccess }) => lastSuccess > over);
  const recovered = Math.max(...writers.map(({ lastSuccess }) => lastSuccess));
  await all(({ confirmed }) => confirmed >= 40);
  await Promise.all(writers.map((writer) => writer.end()));
  let lost = 0;
  for (const writer of writers) lost += (await writer.stored()) >= writer.confirmed ? 0 : 1;
  return {
    requests: sum(writers.map(({ requests }) => requests)),
    refused: sum(writers.map(({ refused }) => refused)),
    lost,
    secondsToRecover: Math.round(recovered - over) / 1000,
    surprises: [...new Set(writers.flatMap(({ surprises }) => surprises))],
  };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resume) => setTimeout(resume, PAUSE_MS));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
