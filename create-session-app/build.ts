// Builds what is published into dist/: the CLI as one bundled file, an archive of the files that projects are made of, and their compiled templates.
// Change it when the package gets another part.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions, Metafile } from "esbuild";
import { build } from "esbuild";
import { ARCHIVE, TEMPLATES } from "./src/packs/assets.ts";
import { archiveOf, filesInFolders } from "./src/packs/files.ts";
import { precompile } from "./src/packs/render.ts";

const own = import.meta.dirname;
const root = join(own, "..");
const dist = join(own, "dist");

/** The library that asks the questions, as a file of its own beside the bundle. */
const PROMPTS = "./prompts.cjs";

/** What projects are made of. A pack's own tests are not. */
const PUBLISHED =
  /^(templates\/(base|[^/]+\/[^/]+)\/(package\.json|README\.section\.md|(files|added)\/.*)|runtime\/(package\.json|src\/.*))$/;

/** The recipes whose code `add` puts into an app. */
const RECIPES = /^docs\/recipes\/(adopt-)?(express|fastify|koa)-session\.md$/;

const files = filesInFolders(root);
const published = [
  ...["runtime", "templates"].flatMap(files.list).filter((path) => PUBLISHED.test(path)),
  ...files.list("docs/recipes").filter((path) => RECIPES.test(path)),
  "CHANGELOG.md",
  "docs/security-fixes.json",
];

/** A template is there in its compiled form; of the template itself, only its place among the files is needed. Of a recipe, only its first code is. */
function contentOf(path: string): Buffer {
  if (path.endsWith(".hbs")) return Buffer.alloc(0);
  return RECIPES.test(path)
    ? Buffer.from(/^```ts\n[\s\S]*?^```$/m.exec(read(path).toString("utf8"))?.[0] ?? "")
    : read(path);
}

function read(path: string): Buffer {
  const content = files.read(path);
  if (content === undefined) throw new Error(`There is no ${path}.`);
  return content;
}

/** A module that exports a function for each template. */
function templateModule(): string {
  const functions = published
    .filter((path) => path.endsWith(".hbs"))
    .map((source) => {
      const compiled = precompile(read(source).toString("utf8"));
      return `${JSON.stringify(source)}: runtime.template(${compiled}),\n`;
    });
  return `const runtime = require("handlebars/runtime");\nmodule.exports = {\n${functions.join("")}};\n`;
}

/** Bundled code stays under its own licence, which asks to be passed on with it. */
function licences(metafiles: Metafile[]): string {
  const folders = new Set<string>();
  for (const input of metafiles.flatMap(({ inputs }) => Object.keys(inputs))) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) folders.add(join(root, found[1]));
  }
  const texts = [...folders].sort().map((folder) => {
    const name = readdirSync(folder).find((file) => /^licen[cs]e(\.|$)/i.test(file));
    if (name === undefined) throw new Error(`${folder} has no licence file.`);
    const { name: packageName, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${packageName} ${version}\n\n${readFileSync(join(folder, name), "utf8").trim()}\n`;
  });
  return `The *.cjs files contain code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** Bundles one file of dist/ and reports what went into it. */
async function bundle(outfile: string, options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({
    ...options,
    outfile: join(dist, outfile),
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    // The libraries are CommonJS, and Node starts a CommonJS file sooner than a module.
    format: "cjs",
    define: { "import.meta.dirname": "__dirname" },
    target: "node20",
    minify: true,
    metafile: true,
    legalComments: "none",
  });
  return metafile as Metafile;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const metafiles = [
  await bundle("cli.cjs", {
    entryPoints: [join(own, "src/cli.ts")],
    // Most of the code is prompts, which a run that asks nothing doesn't load. Only a clone compiles templates when it runs.
    alias: { prompts: PROMPTS },
    external: [PROMPTS, "handlebars"],
  }),
  // Its own entry looks at Node's version and would bring both of its builds along.
  await bundle(PROMPTS, { entryPoints: ["prompts/lib/index.js"] }),
  await bundle(TEMPLATES, { stdin: { contents: templateModule(), resolveDir: own } }),
];
writeFileSync(join(dist, ARCHIVE), archiveOf(published, contentOf));
writeFileSync(join(dist, "licenses.txt"), licences(metafiles));
