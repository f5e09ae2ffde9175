// Finds this machine's Chromium and opens it; its pages collect console messages, errors and failed requests.
// Change it to drive another browser.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path in CHROMIUM, or the first Chromium on the PATH; undefined if there is none. */
export function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

/** @param keepsPages whether "Back" shows a page as it was left, as in people's browsers; Playwright turns that off */
export function openChromium(executablePath: string, { keepsPages = false } = {}): Promise<Browser> {
  const ignoreDefaultArgs = keepsPages ? ["--disable-back-forward-cache"] : [];
  return chromium.launch({ executablePath, args: ARGUMENTS, ignoreDefaultArgs });
}

/** One device: a browser context with its own cookies, and one page in it. */
export interface Device {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console and the page: violations of the CSP, exceptions, failed requests. */
  complaints: string[];
}

export async function openDevice(
  browser: Browser,
  baseURL: string,
  options: BrowserContextOptions = {},
): Promise<Device> {
  const context = await browser.newContext({ baseURL, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("dialog", async (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return { context, page, complaints };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
