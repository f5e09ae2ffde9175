// The thread that says when the next request is due, to a tenth of a millisecond. Timers of the event loop know whole milliseconds only.
// load.ts starts it with a rate, in requests per second; each message is the moment at which a request is due.

import { parentPort, workerData } from "node:worker_threads";
import { now } from "./clock.ts";

const { rate } = workerData as { rate: number };
const asleep = new Int32Array(new SharedArrayBuffer(4));
const begun = now();
for (let count = 0; ; count++) {
  const due = begun + (count * 1000) / rate;
  const wait = due - now();
  if (wait > 0) Atomics.wait(asleep, 0, 0, wait);
  parentPort?.postMessage(due);
}
