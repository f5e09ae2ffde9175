// What `add` makes of the app's main file: sessions mounted where the place is certain, else the lines to paste.
// Change it when something else has to be known before main is changed.
import { findPlace } from "../app/place.ts";
import type { PredecessorMount } from "../app/predecessor.ts";
import { predecessorMount } from "../app/predecessor.ts";
import type { Wiring } from "../app/wire.ts";
import { isWired, wire } from "../app/wire.ts";
import type { AddRules } from "../packs/catalog.ts";
import type { Added } from "../project/added.ts";
import { placeOf, placeOfAddition, specifierOf } from "../project/added.ts";
import type { MainFile } from "./add-messages.ts";
import * as messages from "./add-messages.ts";
import type { ExistingApp } from "./existing-app.ts";

/** The app's main file with sessions mounted; or what to paste into it, and why. */
export function mainFile(app: ExistingApp, rules: AddRules, added: Added): MainFile {
  const place = (path: string) => placeOf(path, added) ?? placeOfAddition(path, added) ?? "";
  const { predecessor } = rules;
  const borrowed =
    added.adopts && predecessor
      ? [
          { name: predecessor.adopt, file: "src/adopt.ts" },
          { name: "sessionView", file: "src/http/session-view.ts" },
        ]
      : [];
  const own = [{ name: "createSessions", file: "src/create-sessions.ts" }, ...rules.imports, ...borrowed];
  const wiring: Wiring = {
    imports: own.map(({ name, file }) => ({ name, place: place(file) })),
    specifierOf: (target, folder) => specifierOf(target, folder, added),
    adopts: added.adopts,
    replaced: undefined,
  };
  if (isWired(app.files, wiring)) return messages.isThere();
  const path = app.start?.path;
  if (app.parse === undefined) {
    const why = `The parser that finds the place, @babel/parser, could not be fetched (${app.parserProblem.split("\n")[0]}).`;
    return messages.toPaste({ why, file: path, line: undefined }, app, rules, wiring);
  }
  const found = findPlace(app.files, rules, app.start?.plugin === true);
  if ("why" in found) return messages.toPaste(found, app, rules, wiring);
  const { path: file } = found.file;
  const unclear = (why: string) => messages.toPaste({ why, file, line: found.line }, app, rules, wiring);
  const replaced = added.adopts && predecessor ? predecessorMount(found, predecessor, app.files) : undefined;
  if (typeof replaced === "string") return unclear(replaced);
  const complete = { ...wiring, imports: usedImports(wiring.imports, replaced, predecessor?.adopt), replaced };
  const wired = wire(found, rules, complete, app.parse);
  if ("why" in wired) return unclear(wired.why);
  const line = replaced?.statement.loc.start.line ?? found.line;
  return {
    wired: { path: file, line, replaces: replaced && predecessor?.package, lost: replaced?.lost, text: wired.text },
    paste: undefined,
  };
}

/** Sessions that were in memory only are gone after a restart: nothing takes them over. */
function usedImports(imports: Wiring["imports"], replaced: PredecessorMount | undefined, adopt: string | undefined) {
  const isUseless = replaced !== undefined && replaced.options === undefined;
  return isUseless ? imports.filter(({ name }) => name !== adopt) : imports;
}
