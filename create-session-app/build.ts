// Builds what is published into dist/: the CLI as one bundled file, and one archive of all that projects are made of.
// Change it when the package gets another part; what it prepares beforehand, a run doesn't have to look for.
import { isUtf8 } from "node:buffer";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import type { Metafile, Plugin } from "esbuild";
import { build } from "esbuild";
import { minify as terser } from "terser";
import { prepareTemplate } from "./prepare-template.ts";
import { compileReader, countLengths, frequentWords, toShorthand } from "./shorthand.ts";
import { readCatalog } from "./src/catalog.ts";
import { IDENTITY } from "./src/merge.ts";
import type { ArchiveHead, ArchiveLayout } from "./src/packaged-assets.ts";
import { ARCHIVE, layersOf, sourceOf } from "./src/packaged-assets.ts";

const root = new URL("../", import.meta.url);
const dist = fileURLToPath(new URL("dist", import.meta.url));

/** Compressed as a whole: npm compresses a package too, but sees only the last 32 kB, and packs are alike. */
async function archive(): Promise<Buffer> {
  const catalog = readCatalog(root);
  const head: ArchiveHead = { catalog, paths: [], templates: {}, binaries: {}, lengths: [] };
  const texts: string[] = [];
  for (const layer of layersOf(catalog)) {
    for (const { path, source, template } of layer.files) {
      const content = readFileSync(new URL(source, root));
      const name = sourceOf(layer, path);
      if (template) head.templates[name] = prepareTemplate(content.toString("utf8"));
      else if (!isUtf8(content)) head.binaries[name] = content.toString("base64");
      else texts.push(content.toString("utf8"));
    }
    head.paths.push(layer.files.map(({ path }) => path));
    layer.files = [];
    // What a pack tells about itself stands in the catalogue already.
    for (const key of IDENTITY) delete layer.manifest[key];
  }
  // Read only where they are asked for.
  for (const pack of [...catalog.frameworks, ...catalog.backends]) {
    texts.push(pack.section);
    pack.section = "";
  }
  const words = frequentWords([JSON.stringify(head), ...texts]);
  const shortened = texts.map((text) => toShorthand(text, words));
  head.lengths = shortened.map((text) => Buffer.byteLength(text));
  const reader = await compileReader();
  const layout: ArchiveLayout = {
    reader: reader.length,
    words: Buffer.byteLength(words.join("")),
    counts: countLengths(words),
  };
  const parts = [
    JSON.stringify(layout),
    reader,
    words.join(""),
    toShorthand(JSON.stringify(head), words),
    ...shortened,
  ];
  const bytes = Buffer.concat(parts.flatMap((part) => [Buffer.from(part), Buffer.from("\n")]));
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  return brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 22, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

const packaging: Plugin = {
  name: "packaging",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/assets\.ts$/ }, () => ({
      path: fileURLToPath(new URL("src/packaged-assets.ts", import.meta.url)),
    }));
    // Of the nine kinds of prompts, these are asked.
    onLoad({ filter: /[\\/]prompts[\\/]lib[\\/]elements[\\/]index\.js$/ }, () => ({
      contents: `module.exports = {
        TextPrompt: require("./text"), SelectPrompt: require("./select"), ConfirmPrompt: require("./confirm"),
      };`,
    }));
  },
};

/** Bundled code stays under its own licence, which asks to be passed on with it. */
function licences(metafile: Metafile): string {
  const folders = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) folders.add(fileURLToPath(new URL(found[1], root)));
  }
  const texts = [...folders].sort().map((folder) => {
    const name = readdirSync(folder).find((file) => /^licen[cs]e(\.|$)/i.test(file));
    if (name === undefined) throw new Error(`${folder} has no licence file.`);
    const { name: packageName, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${packageName} ${version}\n\n${readFileSync(join(folder, name), "utf8").trim()}\n`;
  });
  return `cli.cjs contains code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const { metafile } = await build({
  entryPoints: [fileURLToPath(new URL("src/cli.ts", import.meta.url))],
  outfile: join(dist, "cli.cjs"),
  absWorkingDir: fileURLToPath(root),
  bundle: true,
  platform: "node",
  // A module would load more of Node before it starts: 8 ms of 60, measured.
  format: "cjs",
  define: { "import.meta.dirname": "__dirname" },
  target: "node20",
  minify: true,
  metafile: true,
  legalComments: "none",
  // The package's own choice looks at Node's version and would bring both of its builds along.
  alias: { prompts: "prompts/lib/index.js" },
  plugins: [packaging],
});
/** Another twentieth: esbuild looks at one expression after the other. */
const bundle = join(dist, "cli.cjs");
const { code = "" } = await terser(readFileSync(bundle, "utf8"), {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 3 },
});
writeFileSync(bundle, code);
writeFileSync(join(dist, ARCHIVE), await archive());
writeFileSync(join(dist, "licenses.txt"), licences(metafile));
