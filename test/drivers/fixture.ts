// What a backend says about itself, so that the one suite of conformance.ts can hold its driver to contract.ts.
// Change it when a backend differs in a way that the contract allows: as a named capability, never as a list of skips.

import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import type { ServerName } from "../servers/server.ts";

/** The default export of templates/backends/<id>/conformance.ts. */
export interface Fixture {
  /** The server that the backend needs, by its name in test/servers; none for a backend that is part of the process. */
  server?: ServerName;
  /** More servers, by name, that the same driver is held to (another vendor, another version, a cluster). */
  variants?: readonly ServerName[];
  capabilities: Capabilities;
  /** What the schema needs for a column of the app's own; nothing where columns aren't declared in the store. */
  columnEdit?: ColumnEdit;
  /** The variables with which a generated project uses a store of its own for `unique`. */
  environment(url: string | undefined, unique: string): Record<string, string>;
  /** A store of its own for `unique` (letters, digits and `_`: a table, a prefix, a file), nothing set up in it yet. */
  open(url: string | undefined, unique: string): Promise<OpenStore>;
}

export interface Capabilities {
  /** Several driver instances (and processes) see one store. */
  sharedStore: boolean;
  /** The backend removes what has expired by its own clock: `purge` and `stats().expired` are 0. */
  nativeExpiry: boolean;
  /** A due touch is applied by `read`, in its one round trip. */
  touchesOnRead: boolean;
  /** `setup` makes something without which `check` fails. */
  needsSetup: boolean;
}

/** Declares a text column `tenant` and a column `seats`, for whole numbers or null, in a file of the project. */
export interface ColumnEdit {
  file: string;
  /** The text before which the declarations go. */
  before: string;
  declarations: string;
}

export interface OpenStore {
  /** A further driver instance on this store. The suite closes what it opens. */
  driver(): Promise<SessionDriver>;
  /** Edits the stored row by hand so that `read` can see it is none (data that is no object, a hash of 3 bytes). */
  corrupt?(id: string): Promise<void>;
  /** Removes the store with everything in it. */
  cleanUp(): Promise<void>;
}
