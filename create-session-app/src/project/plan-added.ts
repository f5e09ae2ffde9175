// Makes in memory what an app that was there before gets when sessions are added to it: answers in, files out.
// Change it when such an app gets a part of another file of its own, as of its package.json.
import type { LayerFile, Manifest, Pack } from "../packs/catalog.ts";
import type { Added } from "./added.ts";
import { environmentInApp, hasTool, placeOf, placeOfAddition, textInApp } from "./added.ts";
import type { Choice } from "./choice.ts";
import { templateContext } from "./context.ts";
import { formatManifest, mergeManifests } from "./manifest.ts";
import { packageManagerFiles } from "./package-manager.ts";
import type { Plan, PlanInput, PlannedFile } from "./plan.ts";
import { blobId, RECORD, type RecordedFile, recordText } from "./record.ts";

/** What the app shares with us: of these files the plan holds our part only. */
const SHARED = [".env.example", ".gitignore", "package.json"];

export function isShared(path: string): boolean {
  return SHARED.includes(path);
}

/** The parts of package.json that sessions need. */
const PARTS = ["scripts", "dependencies", "devDependencies", "allowScripts", "dependenciesMeta", "trustedDependencies"];

export function planAdded(choice: Choice, added: Added, { catalog, read, render }: PlanInput): Plan {
  const context = templateContext(choice, catalog.version);
  const layers = [...catalog.common, choice.framework, choice.backend];
  const files = new Map<string, PlannedFile>();
  const record: Record<string, RecordedFile> = {};
  const put = (path: string, text: string, pack: string) => {
    const content = Buffer.from(text);
    files.set(path, { content, mode: 0o644 });
    record[path] = { pack, blob: blobId(content) };
  };

  const placed = layers.flatMap((layer) => [
    ...layer.listFiles().map((file) => ({ file, origin: layer.origin, place: placeOf(file.path, added) })),
    ...layer.listAdded().map((file) => ({ file, origin: layer.origin, place: placeOfAddition(file.path, added) })),
  ]);
  const borrowed = added.adopts ? fromRecipes(choice.framework, read) : new Map<string, string>();
  const places = new Map(placed.flatMap(({ file, place }) => (place === undefined ? [] : [[file.path, place]])));
  const textOf = ({ source, template }: LayerFile) =>
    template ? render(source, context) : read(source).toString("utf8");
  for (const path of borrowed.keys()) places.set(path, placeOf(path, added) ?? path);
  for (const [path, text] of borrowed) {
    put(places.get(path) ?? path, textInApp(text, path, places, added), choice.framework.origin);
  }
  for (const { file, origin, place } of placed) {
    if (place !== undefined) put(place, textInApp(textOf(file), file.path, places, added), origin);
    else if (file.path === ".env.example") put(file.path, environmentInApp(textOf(file), added), "project");
  }
  put(
    "package.json",
    formatManifest(
      partOfManifest(
        choice,
        added,
        places,
        mergeManifests(
          choice.name,
          layers.filter((layer) => layer !== choice.framework),
        ),
      ),
    ),
    "project",
  );
  put(".gitignore", ignored(choice), "project");

  const generated = Object.fromEntries(
    SHARED.map((path) => [
      path,
      Buffer.from(files.get(path)?.content ?? [])
        .toString("utf8")
        .split("\n"),
    ]),
  );
  const sorted = Object.fromEntries(Object.entries(record).sort(byPath));
  put(RECORD, recordText(choice, catalog.version, sorted, generated), "project");
  return new Map([...files].sort(byPath));
}

/** The code of the recipes that take over live sessions, and show a session as the other package did. */
function fromRecipes({ add }: Pack, read: PlanInput["read"]): Map<string, string> {
  const predecessor = add?.predecessor;
  if (predecessor === undefined) return new Map();
  const { adoptRecipe, viewRecipe, view } = predecessor;
  const adopt = codeIn(adoptRecipe, read);
  return new Map([
    ["src/adopt.ts", adopt],
    // An app often calls the other package by that name.
    ["src/http/session-view.ts", codeIn(viewRecipe, read).replaceAll(view, "sessionView")],
  ]);
}

/** The first block of TypeScript of a page. */
function codeIn(page: string, read: PlanInput["read"]): string {
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(read(page).toString("utf8"))?.[1];
  if (code === undefined) throw new Error(`${page} holds no code.`);
  return code;
}

function partOfManifest(choice: Choice, added: Added, places: ReadonlyMap<string, string>, all: Manifest): Manifest {
  const scripts = hasTool(added) ? { sessions: `node ${places.get("src/cli/sessions.ts")}` } : {};
  const { typescript: _compiler, ...types } = all.devDependencies as Record<string, string>;
  const manifest: Manifest = { ...all, scripts, devDependencies: added.typescript ? types : {} };
  packageManagerFiles(choice, manifest);
  return Object.fromEntries(PARTS.filter((part) => part in manifest).map((part) => [part, manifest[part]]));
}

/** Secrets, and what a store keeps in a folder of the app. */
function ignored({ backend }: Choice): string {
  const keepsData = backend.environment.some(({ value }) => value.startsWith("./data/"));
  return `.env\n${keepsData ? "data/\n" : ""}`;
}

function byPath([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
