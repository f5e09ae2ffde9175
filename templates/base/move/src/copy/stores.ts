// Opens a store by its URL: the store of this project, or the one that it had before.
// Nothing to change here: each store's from-url.ts says which URLs are its own.
import { ConfigError, Environment } from "../http/environment.ts";
import { createDriver as createPrevious } from "../previous-store/driver.ts";
import { schemes as previousSchemes, variablesOf as previousVariables } from "../previous-store/from-url.ts";
import { describeStore as describePrevious, readStoreSettings as readPrevious } from "../previous-store/settings.ts";
import { createDriver } from "../store/driver.ts";
import { schemes, variablesOf } from "../store/from-url.ts";
import { describeStore, readStoreSettings } from "../store/settings.ts";
import type { Store } from "./copier.ts";

/** @param timeout in milliseconds, for each call of the driver. Throws a ConfigError that never shows the URL. */
export function openStore(url: string, timeout: number): Store {
  const isOf = (known: readonly string[]) => known.some((scheme) => url.startsWith(scheme));
  const withUrl = (variables: Record<string, string>) => new Environment({ ...process.env, ...variables });
  if (isOf(schemes)) {
    const settings = readStoreSettings(withUrl(variablesOf(url)));
    return { driver: createDriver(settings, timeout), name: describeStore(settings) };
  }
  if (isOf(previousSchemes)) {
    const settings = readPrevious(withUrl(previousVariables(url)));
    return { driver: createPrevious(settings, timeout), name: describePrevious(settings) };
  }
  throw new ConfigError(`a URL starts with ${[...schemes, ...previousSchemes].join(" or ")}.`);
}
