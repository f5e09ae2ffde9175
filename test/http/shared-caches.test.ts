// Responses that bring caching headers of their own, as Express' files do: no shared cache may keep what is one visitor's.
// Responses without such headers are in suite/cookie.ts.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";

const ROUTES = `
  router.get(["/write/:way", "/read/:way"], (request, response) => {
    if (request.path.startsWith("/write")) request.session.data.visits = 1;
    else void request.session.userid;
    const file = "style.css";
    const root = { root: "public" };
    if (request.params.way === "download") return response.download(file, root);
    if (request.params.way === "chosen") response.set("Cache-Control", "private, max-age=60");
    return response.sendFile(file, root);
  });
`;

let project: Project;

beforeAll(async () => {
  const folder = await assemble({ framework: "express", backend: "memory" }, "shared-caches");
  const handlers = join(folder, "src", "example", "handlers.ts");
  const text = await readFile(handlers, "utf8");
  await writeFile(
    handlers,
    text.replace(/\n {2}router\.get\("\/"/, (route) => ROUTES + route),
  );
  project = new Project(folder);
  await project.start();
});
afterAll(() => project.stop());

const PATHS = ["/write/send", "/write/download", "/read/send", "/read/download"];

test.each([...PATHS, "/write/chosen"])(
  "S4, S23: %s: a file brings the cookie along, and varies by it",
  async (path) => {
    const { headers, status } = await fetch(project.url + path);
    expect(status).toBe(200);
    expect(headers.getSetCookie()).toHaveLength(path.startsWith("/write") ? 1 : 0);
    expect(headers.get("vary")).toMatch(/\bcookie\b/i);
  },
);

test("S23: what the handler has chosen for a file stays", async () => {
  const { headers } = await fetch(`${project.url}/write/chosen`);
  expect(headers.get("cache-control")).toBe("private, max-age=60");
});

test.each(PATHS)("S23: %s: a file that depends on the session is kept by no shared cache", async (path) => {
  const { headers } = await fetch(project.url + path);
  expect(headers.get("cache-control")).toMatch(/^(?:no-store|private)\b/);
});
