// The folder public/ in every framework: its files are served, except those whose names begin with a dot.
// Change it with the projects' src/http/public-file.ts, and with what the frameworks' own packages serve.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  let project: Project;

  beforeAll(async () => {
    project = new Project(await assemble({ framework, backend: "memory" }, "files"));
    await project.start();
    const folder = join(project.folder, "public");
    for (const name of ["fonts", ".hidden"]) await mkdir(join(folder, name));
    for (const name of ["logo.png", "fonts/a-b.woff2", "app.v2.js", ".secret.css", ".hidden/a.css", "fonts/.b.css"]) {
      await writeFile(join(folder, name), `content of ${name}`);
    }
  });

  afterAll(async () => {
    await project.stop();
    expect(project.output).not.toMatch(/\n\s+at |Error:/);
  });

  test.each([
    ["/logo.png", "image/png"],
    ["/fonts/a-b.woff2", "font/woff2"],
    ["/app.v2.js", "text/javascript"],
  ])("section 5: %s is served from public/, with its type and the security headers", async (path, type) => {
    const response = await fetch(project.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toBe(`content of ${path.slice(1)}`);
  });

  test.each(["/.secret.css", "/.hidden/a.css", "/fonts/.b.css", "/fonts", "/fonts/", "/fonts/%2esecret.css"])(
    "section 5: %s is 404",
    async (path) => {
      expect((await fetch(project.url + path)).status).toBe(404);
    },
  );
});
