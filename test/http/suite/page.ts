// The page as HTML: its security headers, its escaping, what it says with and without a session.
// Change it with the page; how it behaves in a browser is tested in test/browser.

import { expect, test } from "vitest";
import type { HttpResponse } from "../client.ts";
import { expectStatus, guest, signedIn, signIn, someone, type Target, visitor } from "./visitors.ts";

const HTML = { accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8" };

export function pageTests(target: Target): void {
  test("P11: every HTML response carries the security headers, errors too", async () => {
    const client = await signedIn(target, someone(), HTML);
    const responses = [
      await visitor(target, HTML).get("/"),
      await client.get("/"),
      await client.get("/nothing"),
      await client.put("/session/data/a", { json: {} }),
      await client.set("too much", "x".repeat(70_000)),
      await client.put("/session/data/a", { json: { value: 1 }, headers: { "sec-fetch-site": "cross-site" } }),
      await client.post("/login", { form: {} }),
    ];
    for (const response of responses) {
      if (response.headers["content-type"]?.startsWith("text/html")) expectSecurityHeaders(response);
      expect(response.headers["x-content-type-options"]).toBe("nosniff");
    }
    expect(responses[0]?.headers["content-type"]).toMatch(/^text\/html/);
  });

  test("P11: no HSTS in development, no name or version of the server", async () => {
    const page = await visitor(target).get("/");
    expect(page.headers["strict-transport-security"]).toBeUndefined();
    expect(page.headers["x-powered-by"]).toBeUndefined();
    expect(page.headers.server).toBeUndefined();
  });

  test("P11: the page has neither a script nor an inline style nor anything from elsewhere", async () => {
    for (const client of [visitor(target), await guest(target), await signedIn(target, someone())]) {
      const { text } = await client.get("/");
      expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
      expect(
        [...text.matchAll(/\s(?:src|href|action|formaction)="([^"]*)"/g)]
          .map((match) => match[1])
          .filter((url) => /^(https?:)?\/\//.test(url ?? "")),
      ).toEqual([]);
    }
  });

  test("section 5: what the page links to is there", async () => {
    const client = await signedIn(target, someone());
    const { text } = await client.get("/");
    const links = [...text.matchAll(/<link[^>]*\shref="([^"]+)"/g)]
      .map((match) => match[1] ?? "")
      .filter((url) => !url.startsWith("data:"));
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      const response = await client.get(new URL(link, "http://localhost/").pathname);
      expectStatus(response, 200);
      if (/\.css/.test(link)) expect(response.headers["content-type"]).toMatch(/^text\/css/);
      expect(response.setCookies).toEqual([]);
    }
  });

  test("section 5: a file is there for GET and HEAD, whatever the query; nothing beside the files is served", async () => {
    const client = visitor(target);
    const sheet = await client.get("/style.css");
    expectStatus(sheet, 200);
    expect((await client.get("/style.css?v=1")).text).toBe(sheet.text);
    const head = await client.head("/style.css");
    expectStatus(head, 200);
    expect([head.headers["content-type"], head.text]).toEqual([sheet.headers["content-type"], ""]);
    for (const path of [
      "/style.css/",
      "/style.css/a.css",
      "/none.css",
      "/constructor.constructor",
      "/../package.json",
      "/%2e%2e/package.json",
      "/..%2fpackage.json",
      "/..%5cpackage.json",
      "//package.json",
      "/../src/main.ts",
      "/a/../../README.txt",
      "/style.css%00",
      `/${"a".repeat(4_000)}.css`,
      `/${"a.".repeat(4_000)}css`,
    ]) {
      const response = await client.get(path);
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(response.status, path).toBeLessThan(500);
    }
  });

  test("section 5: every form of the page posts to a path of its own site, below whatever path the app is", async () => {
    for (const client of [visitor(target), await guest(target), await signedIn(target, someone())]) {
      const { text } = await client.get("/");
      const forms = [...text.matchAll(/<form\b[^>]*>/g)].map(([tag]) => tag);
      expect(forms.length).toBeGreaterThanOrEqual(3);
      for (const tag of forms) {
        expect(tag).toMatch(/method="post"/i);
        expect(tag).toMatch(/action="[a-z]/);
      }
    }
  });

  test("section 5: the visit counter counts once there is a session, and a visitor without one leaves no trace", async () => {
    const stranger = visitor(target);
    for (let count = 0; count < 3; count++) expect((await stranger.get("/")).setCookies).toEqual([]);
    const client = await guest(target);
    const visits = [];
    for (let count = 0; count < 3; count++) {
      await client.get("/");
      visits.push((await client.get("/session")).json.data.visits);
    }
    expect(visits).toEqual([1, 2, 3]);
  });

  test("S11: parallel visits all count", async () => {
    const client = await guest(target);
    await Promise.all(Array.from({ length: 40 }, () => client.get("/")));
    expect((await client.get("/session")).json.data.visits).toBe(40);
  });

  test("section 5: nothing is shown unescaped", async () => {
    const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>&lt;`;
    const client = visitor(target, { "user-agent": evil });
    await client.set(evil, evil);
    await client.set("object", { [evil]: [evil] });
    await client.set("entity", "&amp;<!--</textarea></pre></title>");
    await client.post("/cart", { json: { sku: "<b>x</b>", quantity: 1 } });
    await signIn(client, `<script>alert(2)</script>${someone()}`);
    const { text } = await client.get("/");
    expect(text).not.toMatch(/<script|<img[^>]*onerror|<b>x|<!--<\/|"'>/);
    expect(text).toMatch(/(&lt;|&#60;)script(&gt;|&#62;)alert\(1\)/);
    expect(text, "what looks escaped is escaped once more").toMatch(/(&amp;|&#38;)amp;/);
    for (const path of [
      `/${encodeURIComponent(evil)}`,
      `/?q=${encodeURIComponent(evil)}`,
      `/sessions/${encodeURIComponent(evil)}`,
    ]) {
      expect((await client.get(path, { headers: HTML })).text).not.toMatch(/<script|<img/);
    }
  });

  test("section 5: a browser gets an error as a page, not as JSON", async () => {
    const client = await guest(target, HTML);
    const response = await client.get("/nothing");
    expectStatus(response, 404);
    expect(response.headers["content-type"]).toMatch(/^text\/html/);
    expect(response.text).toMatch(/<h1/i);
  });

  test("section 5: the page shows id, user, data and devices", async () => {
    const userid = someone("shown");
    const client = await signedIn(target, userid, { "user-agent": "Browser of the suite/7" });
    await client.set("colour", "papayawhip");
    const [{ text }, { json }] = [await client.get("/"), await client.get("/session")];
    for (const part of [json.id, userid, "colour", "papayawhip"]) expect(text).toContain(part);
    const { text: stranger } = await visitor(target).get("/");
    expect(stranger).not.toContain(userid);
  });
}

function expectSecurityHeaders(response: HttpResponse): void {
  const directives = new Map(
    String(response.headers["content-security-policy"])
      .split(";")
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name = "", ...sources]) => [name.toLowerCase(), sources]),
  );
  expect(directives.get("frame-ancestors")).toEqual(["'none'"]);
  expect(directives.get("base-uri")).toEqual(["'none'"]);
  expect(directives.get("object-src")).toEqual(["'none'"]);
  const scripts = directives.get("script-src") ?? directives.get("default-src") ?? ["*"];
  for (const source of scripts) expect(source).toMatch(/^'(none|self)'$/);
  expect([...directives.values()].flat()).not.toContain("'unsafe-inline'");
  expect([...directives.values()].flat()).not.toContain("'unsafe-eval'");
  expect(response.headers["referrer-policy"]).toMatch(/^(no-referrer|same-origin|strict-origin)/);
  expect(response.headers["cross-origin-opener-policy"]).toBe("same-origin");
  expect(response.headers["x-frame-options"]).toMatch(/^deny$/i);
}
