// Renews the README's pictures of the page, light and dark: node test/browser/pictures.ts
// Change what they show in fillSession; commit the pictures only when the page looks different.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { findChromium, openChromium, openDevice } from "./browser.ts";
import { fillSession, signIn } from "./visit.ts";

const PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";
const images = join(repository, "docs", "images");

const executable = findChromium();
if (!executable) throw new Error("There is no Chromium on this machine: set CHROMIUM to its path");

const project = new Project(await assemble({ framework: "express", backend: "sqlite" }, "pictures"));
await Promise.all([project.start(), mkdir(images, { recursive: true })]);
const browser = await openChromium(executable);
try {
  for (const colorScheme of ["light", "dark"] as const) {
    const phone = await openDevice(browser, project.url, { userAgent: PHONE });
    const laptop = await openDevice(browser, project.url, { colorScheme, viewport: { width: 1280, height: 800 } });
    for (const { page } of [phone, laptop]) await page.goto("/");
    await fillSession(laptop.page);
    for (const { page } of [laptop, phone]) await signIn(page, "ada");
    for (let visit = 0; visit < 3; visit++) await laptop.page.reload();
    const path = join(images, `page-${colorScheme}.png`);
    await laptop.page.screenshot({ path, fullPage: true });
    console.log(path);
    // The next picture should show its own two devices only.
    await laptop.page.getByRole("button", { name: "End all other sessions" }).click();
    await laptop.page.getByRole("button", { name: "Sign out" }).click();
    for (const { context } of [phone, laptop]) await context.close();
  }
} finally {
  await browser.close();
  await project.stop();
}
