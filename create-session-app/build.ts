// Builds what is published into dist/: the CLI in a few bundled files, and an archive of the files that projects are made of.
// Change it when the package gets another part.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OutputChunk, type Plugin, rolldown } from "rolldown";
import { ARCHIVE } from "./src/packs/assets.ts";
import { archiveOf, filesInFolders } from "./src/packs/files.ts";
import { precompile } from "./src/packs/render.ts";

const own = import.meta.dirname;
const root = join(own, "..");
const dist = join(own, "dist");

/** What projects are made of. A pack's own tests are not. */
const PUBLISHED =
  /^(templates\/(base|[^/]+\/[^/]+)\/(package\.json|README\.section\.md|SCHEMA-CHANGES\.md|(files|added|move)\/.*)|runtime\/(package\.json|src\/.*))$/;

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

/** Compiling templates takes longer than all the rest of a run, so the package has the compiled functions in the place of render.ts. */
const compiledTemplates: Plugin = {
  name: "compiled-templates",
  load: {
    filter: { id: /[\\/]src[\\/]packs[\\/]render\.ts$/ },
    handler() {
      const functions = published
        .filter((path) => path.endsWith(".hbs"))
        .map((path) => `${JSON.stringify(path)}: runtime.template(${precompile(read(path).toString("utf8"))}),\n`);
      return `
        import runtime from "handlebars/runtime";
        const templates = {\n${functions.join("")}};
        export const renderer = () => (source, context) => templates[source](context);`;
    },
  },
};

/** `prompts` lists all kinds of questions here, and most of its code is in kinds that nobody asks. */
const askedQuestions: Plugin = {
  name: "asked-questions",
  load: {
    filter: { id: /[\\/]prompts[\\/]lib[\\/]elements[\\/]index\.js$/ },
    handler: () => `
      exports.TextPrompt = require("./text");
      exports.SelectPrompt = require("./select");
      exports.ConfirmPrompt = require("./confirm");`,
  },
};

/** Bundles the program and returns the files that it became. */
async function bundle(): Promise<OutputChunk[]> {
  const program = await rolldown({
    input: join(own, "src/cli.ts"),
    platform: "node",
    // The entry of `prompts` looks at Node's version and would bring both of its builds along.
    resolve: { alias: { prompts: "prompts/lib/index.js" } },
    plugins: [compiledTemplates, askedQuestions],
    transform: { target: "node20", define: { "import.meta.dirname": "__dirname" } },
  });
  const { output } = await program.write({
    dir: dist,
    // The libraries are CommonJS, and Node starts a CommonJS file sooner than a module.
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    codeSplitting: {
      // Most runs make a project and ask nothing: they load cli.cjs alone, and the others what they need besides.
      groups: [
        { name: "cli", test: /[\\/]src[\\/](cli\.ts$|packs[\\/])|rolldown[\\/]runtime/ },
        { name: "questions", test: /[\\/]src[\\/]choices[\\/]/ },
        { name: "commands", test: /[\\/]src[\\/]/ },
      ],
    },
    charset: "ascii",
    minify: true,
    comments: false,
  });
  return output.filter((part) => part.type === "chunk");
}

/** Bundled code stays under its own licence, which asks to be passed on with it. */
function licences(chunks: readonly OutputChunk[]): string {
  const folders = new Set<string>();
  for (const module of chunks.flatMap(({ moduleIds }) => moduleIds)) {
    const found = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(module);
    if (found?.[1] !== undefined) folders.add(found[1]);
  }
  const texts = [...folders].sort().map((folder) => {
    const name = readdirSync(folder).find((file) => /^licen[cs]e(\.|$)/i.test(file));
    if (name === undefined) throw new Error(`${folder} has no licence file.`);
    const { name: packageName, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${packageName} ${version}\n\n${readFileSync(join(folder, name), "utf8").trim()}\n`;
  });
  return `The *.cjs files contain code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const chunks = await bundle();
chmodSync(join(dist, "cli.cjs"), 0o755);
writeFileSync(join(dist, ARCHIVE), archiveOf(published, contentOf));
writeFileSync(join(dist, "licenses.txt"), licences(chunks));
