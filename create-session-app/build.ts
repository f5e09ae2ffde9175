// Builds what is published into dist/: the CLI as one bundled file, copies of the files that projects are made of, and the compiled templates.
// Change it when the package gets another part.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions, Metafile } from "esbuild";
import { build } from "esbuild";
import { TEMPLATES } from "./src/packs/assets.ts";
import { filesBelow } from "./src/packs/files.ts";
import { precompile } from "./src/packs/render.ts";

const own = import.meta.dirname;
const root = join(own, "..");
const dist = join(own, "dist");

/** What projects are made of. A pack's own tests are not. */
const PUBLISHED =
  /^(templates\/(base|[^/]+\/[^/]+)\/(package\.json|README\.section\.md|files\/.*)|runtime\/(package\.json|src\/.*))$/;

function copyPacks(): void {
  const files = filesBelow(root);
  const published = ["runtime", "templates"].flatMap(files.list).filter((path) => PUBLISHED.test(path));
  for (const path of [...published, "CHANGELOG.md", "docs/security-fixes.json"])
    cpSync(join(root, path), join(dist, path));
}

/** What a template says is in its compiled form; of the template itself, only its place among the files is needed. */
function emptyTemplates(): void {
  const templates = filesBelow(dist)
    .list("templates")
    .filter((path) => path.endsWith(".hbs"));
  for (const path of templates) truncateSync(join(dist, path));
}

/** A module that exports a function for each template. */
function templateModule(): string {
  const files = filesBelow(dist);
  const sources = files.list("templates").filter((path) => path.endsWith(".hbs"));
  const functions = sources.map((source) => {
    const text = files.read(source)?.toString("utf8") ?? "";
    return `${JSON.stringify(source)}: runtime.template(${precompile(text)}),\n`;
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
    // Its own choice looks at Node's version and would bring both of its builds along.
    alias: { prompts: "prompts/lib/index.js" },
  });
  return metafile as Metafile;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
copyPacks();
const metafiles = [
  // Only a clone compiles templates when it runs.
  await bundle("cli.cjs", { entryPoints: [join(own, "src/cli.ts")], external: ["handlebars"] }),
  await bundle(TEMPLATES, { stdin: { contents: templateModule(), resolveDir: own } }),
];
emptyTemplates();
writeFileSync(join(dist, "licenses.txt"), licences(metafiles));
