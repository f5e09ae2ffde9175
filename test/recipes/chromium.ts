// A real browser for the recipes in which it matters: what it sends where, and what it lets a page read.
// Change it when a recipe needs it set up otherwise.
import type { BrowserContextOptions } from "playwright-core";
import { onTestFinished } from "vitest";
import { type Device, findChromium, openChromium, openDevice } from "../browser/browser.ts";

const executable = findChromium();
if (!executable && process.env.CI === "true")
  throw new Error("There is no Chromium on this machine: set CHROMIUM to its path");

export const hasChromium = executable !== undefined;

/** One device with cookies of its own. It is closed when the test ends. */
export async function device(baseURL: string, options: BrowserContextOptions = {}): Promise<Device> {
  const browser = await openChromium(executable ?? "");
  onTestFinished(() => browser.close());
  return openDevice(browser, baseURL, { ignoreHTTPSErrors: true, ...options });
}
