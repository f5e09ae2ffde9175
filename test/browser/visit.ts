// What both the tests and the pictures do on the page: fill a session, sign in, look for accessibility violations.
// Change it with the names of the page's fields and buttons.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

export async function signIn(page: Page, userid: string, password = "demo"): Promise<void> {
  await page.getByLabel("User name").fill(userid);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Puts something of every kind that the page can show into the session. */
export async function fillSession(page: Page): Promise<void> {
  for (const [key, value] of [
    ["currency", "EUR"],
    ["colours", '["teal", "sand"]'],
  ] as const) {
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.getByLabel(/^Value/).fill(value);
    await page.getByRole("button", { name: "Set", exact: true }).click();
  }
  for (const [sku, quantity] of [
    ["teapot-0.8l", "1"],
    ["cup-white", "4"],
  ] as const) {
    await page.getByLabel("Article").fill(sku);
    await page.getByLabel("Quantity").fill(quantity);
    await page.getByRole("button", { name: "Put in" }).click();
  }
}

/** Violations that axe-core finds (WCAG 2.2 A and AA, good practice), each with the elements at fault. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(async () => {
    // The script above has just defined it.
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const { violations: found } = await axe.run();
    return found.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html).join(" ")}`);
  });
}
