// Times the calls of the store, for metrics and traces.
// Change here what is known of a call.
import { type SessionDriver, StoreUnavailable } from "./contract.ts";
import { type Hooks, safely } from "./events.ts";

/** What requests, lists and timers ask of the store. */
const OPERATIONS = [
  "setup",
  "check",
  "ping",
  "create",
  "read",
  "change",
  "end",
  "listByUser",
  "endByUser",
  "endAll",
  "stats",
  "purge",
] as const satisfies (keyof SessionDriver)[];

/** A call that has ended. It tells nothing of what was passed or returned, so that it holds neither secrets nor data. */
export interface StoreCall {
  operation: (typeof OPERATIONS)[number];
  /** When it began, in milliseconds since 1970. */
  startedMs: number;
  durationMs: number;
  /** unavailable: the store can't be reached or refuses for the moment. failed: by any other error. */
  outcome: "done" | "unavailable" | "failed";
}

/** The same driver, whose calls are reported as they end. */
export function timed(driver: SessionDriver, hooks: Hooks<StoreCall>): SessionDriver {
  const report = safely(hooks);
  return new Proxy(driver, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const operation = OPERATIONS.find((each) => each === name);
      // A driver's methods may use private fields, which the proxy has none of.
      if (operation === undefined) return value.bind(target);
      return (...parameters: unknown[]) => {
        const startedMs = Date.now();
        const start = performance.now();
        const ended = (outcome: StoreCall["outcome"]) =>
          report({ operation, startedMs, durationMs: performance.now() - start, outcome });
        const done = (result: unknown) => {
          ended("done");
          return result;
        };
        const failed = (error: unknown): never => {
          ended(error instanceof StoreUnavailable ? "unavailable" : "failed");
          throw error;
        };
        try {
          const result: unknown = value.apply(target, parameters);
          return result instanceof Promise ? result.then(done, failed) : done(result);
        } catch (error) {
          return failed(error);
        }
      };
    },
  });
}
