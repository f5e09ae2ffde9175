// The page as people use it, in a real browser: without scripts, by keyboard, on two devices, narrow and wide, light and dark.
// Change it with the page; the responses to its requests are tested in test/http.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { type Device, findChromium, openChromium, openDevice } from "./browser.ts";
import { fillSession, signIn, violations } from "./visit.ts";

const executable = findChromium();
if (!executable && process.env.CI === "true")
  throw new Error("There is no Chromium on this machine: set CHROMIUM to its path");

const SIZES = { narrow: { width: 390, height: 844 }, wide: { width: 1280, height: 900 } };
const SCREENSHOTS = join(repository, ".build", "screenshots");

describe.skipIf(!executable).each(packs("frameworks"))("the page of %s x sqlite in Chromium", (framework) => {
  let browser: Browser;
  let project: Project;

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "sqlite" }, "browser"));
    [browser] = await Promise.all([
      openChromium(executable ?? ""),
      project.start(),
      mkdir(SCREENSHOTS, { recursive: true }),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await project?.stop();
  });

  /** A device that is closed when the test ends; until then its console must stay quiet. */
  async function device(options?: BrowserContextOptions): Promise<Device> {
    const opened = await openDevice(browser, project.url, options);
    onTestFinished(async () => {
      await opened.context.close();
      expect(opened.complaints, "the console is quiet").toEqual([]);
    });
    return opened;
  }

  test("section 5: without JavaScript: start a session, set a value, count visits, sign in and out", async () => {
    const { page, context } = await device({ javaScriptEnabled: false });
    await page.goto("/");
    await page.goto("/");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("No session yet");
    expect(await context.cookies(), "a visit leaves no cookie").toEqual([]);

    await page.getByRole("button", { name: "Start a session" }).click();
    expect(new URL(page.url()).pathname).toBe("/");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, guest");
    expect(await visits(page)).toBe(1);
    await page.reload();
    expect(await visits(page)).toBe(2);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax", path: "/" });

    await setValue(page, "colour", "papayawhip");
    await setValue(page, "list", "[1, 2]");
    expect(await data(page)).toMatchObject({ colour: "papayawhip", list: [1, 2] });
    await page.getByRole("button", { name: "Remove list" }).click();
    expect(await data(page)).not.toHaveProperty("list");

    const id = await page.locator("#session-id").textContent();
    await signIn(page, "grace");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, grace");
    expect(await page.locator("#session-id").textContent(), "the same session").toBe(id);
    expect((await context.cookies())[0]?.value, "under a new token").not.toBe(cookie?.value);
    expect(await data(page)).toMatchObject({ colour: "papayawhip" });

    await page.getByRole("button", { name: "Sign out" }).click();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("No session yet");
    expect(await context.cookies()).toEqual([]);
  });

  test("S15: two devices: each sees both, one ends the other, which is then signed out", async () => {
    const userid = `ada-${process.pid}`;
    const [laptop, phone] = [
      await device({ javaScriptEnabled: false }),
      await device({
        javaScriptEnabled: false,
        userAgent: "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
      }),
    ];
    for (const { page } of [laptop, phone]) {
      await page.goto("/");
      await signIn(page, userid);
    }
    await laptop.page.reload();
    const devices = laptop.page.getByRole("region", { name: "Your devices" });
    expect(await devices.getByRole("listitem").count()).toBe(2);
    expect(await devices.getByText("this device").count()).toBe(1);
    expect(await devices.getByRole("listitem").filter({ hasText: "Firefox on Android" }).count()).toBe(1);

    await devices.getByRole("button", { name: /^End the session of Firefox on Android/ }).click();
    expect(await devices.getByRole("listitem").count()).toBe(1);
    await phone.page.reload();
    expect(await phone.page.getByRole("heading", { level: 1 }).textContent()).toBe("No session yet");

    await phone.page.goto("/");
    await signIn(phone.page, userid);
    await laptop.page.reload();
    await laptop.page.getByRole("button", { name: "End all other sessions" }).click();
    await phone.page.reload();
    expect(await phone.page.getByRole("heading", { level: 1 }).textContent()).toBe("No session yet");
    expect(await laptop.page.getByRole("heading", { level: 1 }).textContent()).toBe(`Hello, ${userid}`);
  });

  test("S14 S23: going back after signing out shows nothing of the user", async () => {
    const remembering = await openChromium(executable ?? "", { keepsPages: true });
    onTestFinished(() => remembering.close());
    const { page, context } = await openDevice(remembering, project.url);
    await page.goto("/");
    await signIn(page, "grace");
    await page.getByRole("heading", { name: "Hello, grace" }).waitFor();
    await page.goto("/session");
    const elsewhere = await context.newPage();
    await elsewhere.goto("/");
    await elsewhere.getByRole("button", { name: "Sign out" }).click();
    await elsewhere.getByRole("heading", { name: "No session yet" }).waitFor();
    await page.evaluate("history.back()");
    await expect.poll(() => page.evaluate("location.pathname")).toBe("/");
    expect(await page.content()).not.toContain("grace");
  });

  test("section 5: a wrong password gets a page that says so and links back", async () => {
    const { page, complaints } = await device({ javaScriptEnabled: false });
    await page.goto("/");
    await signIn(page, "grace", "wrong");
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    await page.getByRole("link", { name: "Back to the start" }).click();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("No session yet");
    // Chromium logs the 401 in its console, as it should.
    expect(complaints.splice(0)).toEqual([expect.stringContaining("401")]);
  });

  test("section 5: by keyboard alone: skip link, sign in with Tab and Enter, the focus is always visible", async () => {
    const { page } = await device();
    await page.goto("/");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    for (let count = 0; count < 30 && (await page.evaluate(() => document.activeElement?.id)) !== "userid"; count++) {
      await page.keyboard.press("Tab");
      expect(await focusIsVisible(page), await focused(page)).toBe(true);
    }
    await page.keyboard.type("keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.type("demo");
    await Promise.all([page.waitForURL("/"), page.waitForEvent("load"), page.keyboard.press("Enter")]);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Hello, keyboard");
  });

  test("section 5: a cart is filled and emptied", async () => {
    const { page } = await device({ javaScriptEnabled: false });
    await page.goto("/");
    for (const quantity of ["2", "3"]) {
      await page.getByLabel("Article").fill("tea");
      await page.getByLabel("Quantity").fill(quantity);
      await page.getByRole("button", { name: "Put in" }).click();
    }
    expect(await data(page)).toMatchObject({ cart: { tea: 5 } });
    await page.getByRole("button", { name: "Take out tea" }).click();
    expect((await data(page)).cart ?? {}).toEqual({});
  });

  test("P11, section 5: nothing a visitor types becomes markup, and nothing breaks the CSP", async () => {
    const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>&lt;b&gt;`;
    const { page } = await device();
    await page.goto("/");
    await setValue(page, evil, evil);
    await page.getByLabel("Article").fill("<b onmouseover=alert(3)>");
    await page.getByRole("button", { name: "Put in" }).click();
    await signIn(page, evil.slice(0, 100));
    expect(await data(page)).toMatchObject({ [evil]: evil });
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(`Hello, ${evil.slice(0, 100)}`);
    expect(await page.locator("script, img, main b").count()).toBe(0);
    await page.getByRole("button", { name: `Remove ${evil}` }).click();
    expect(await data(page)).not.toHaveProperty([evil]);
  });

  test("P11: the CSP stops a script that gets in all the same", async () => {
    const { page, complaints } = await device();
    await page.goto("/");
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
    });
    expect(await page.title()).not.toBe("owned");
    await expect.poll(() => complaints.length).toBeGreaterThan(0);
    expect(complaints.splice(0).join()).toMatch(/Content Security Policy/i);
  });

  test("section 5: the theme is chosen, kept, and left to the browser again", async () => {
    const { page } = await device({ javaScriptEnabled: false });
    await page.goto("/");
    const theme = () => page.locator("html").getAttribute("data-theme");
    expect(await theme()).toBeNull();
    for (const name of ["Dark", "Light"]) {
      await page.getByRole("button", { name, exact: true }).click();
      expect(await theme()).toBe(name.toLowerCase());
      expect(await page.getByRole("button", { name, exact: true }).getAttribute("aria-pressed")).toBe("true");
    }
    await page.getByRole("button", { name: "Auto", exact: true }).click();
    expect(await theme()).toBeNull();
  });

  describe.each(["light", "dark"] as const)("%s", (colorScheme) => {
    test.each(["narrow", "wide"] as const)(
      "section 5: %s: axe-core finds no violation, nothing runs out of the page",
      async (size) => {
        const { page, complaints } = await device({ colorScheme, viewport: SIZES[size], bypassCSP: true });
        const look = async (state: string) => {
          expect(await violations(page), `${state}, ${size}, ${colorScheme}`).toEqual([]);
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
            `${state} scrolls sideways`,
          ).toBeLessThanOrEqual(0);
          await page.screenshot({
            path: join(SCREENSHOTS, `${framework}-${state}-${size}-${colorScheme}.png`),
            fullPage: true,
          });
        };
        await page.goto("/");
        await look("stranger");
        await fillSession(page);
        await look("guest");
        await signIn(page, `axe-${size}-${colorScheme}`);
        const other = await device({ javaScriptEnabled: false });
        await other.page.goto("/");
        await signIn(other.page, `axe-${size}-${colorScheme}`);
        await page.reload();
        await look("user");
        await setValue(page, "w".repeat(128), "very-long-".repeat(60));
        await look("long");
        await page.goto("/nothing");
        await look("error");
        expect(complaints.splice(0)).toEqual([expect.stringContaining("404")]);
      },
    );
  });
});

async function visits(page: Page): Promise<number> {
  return Number(await page.locator("#visits").textContent());
}

async function data(page: Page): Promise<Record<string, unknown>> {
  return JSON.parse((await page.locator("#data").textContent()) ?? "");
}

async function setValue(page: Page, key: string, value: string): Promise<void> {
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.getByLabel(/^Value/).fill(value);
  await page.getByRole("button", { name: "Set", exact: true }).click();
}

function focused(page: Page): Promise<string> {
  return page.evaluate(
    () => (document.activeElement as HTMLElement | null)?.innerText.trim() || document.activeElement?.id || "nothing",
  );
}

/** Whether the focused element has an outline, or a shadow in its place. */
function focusIsVisible(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body) return true;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(activeElement);
    return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  });
}
