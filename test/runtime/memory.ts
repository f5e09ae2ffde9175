// An app on the memory store, for tests of what may not depend on a backend.
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { type App, open } from "./visitor.ts";

export async function memoryApp(settings: Partial<SessionSettings> = {}): Promise<App> {
  const app = await open("memory", settings);
  if (app === undefined) throw new Error("the memory store needs no server");
  return app;
}

/** Every call of a driver's method goes through `pass` first. */
export function intercept(
  driver: SessionDriver,
  names: (keyof SessionDriver)[],
  pass: (name: string) => Promise<void>,
): void {
  for (const name of names) {
    const method = (driver[name] as (...args: unknown[]) => Promise<never>).bind(driver);
    Object.assign(driver, {
      [name]: async (...args: unknown[]) => {
        await pass(name);
        return method(...args);
      },
    });
  }
}
