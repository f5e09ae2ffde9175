// What a backend says about itself, so that the one suite of conformance.ts can hold its driver to contract.ts.
// Change it when a backend differs in a way that the contract allows: as a named capability, never as a list of skips.

import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import type { ServerName } from "../servers/server.ts";

type Variables = Record<string, string>;

/** The default export of templates/backends/<id>/conformance.ts. */
export interface Fixture {
  /** The server that the backend needs, by its name in test/servers; none for a backend that is part of the process. */
  server?: ServerName;
  /** More servers, by name, that the same driver is held to (another vendor, another version, a cluster). */
  variants?: readonly ServerName[];
  capabilities: Capabilities;
  /** What the schema needs for a column of the app's own; nothing where columns aren't declared in the store. */
  columnEdit?: ColumnEdit;
  /** What may be wrong when a project starts; nothing where nothing can be. */
  starts?: Starts;
  /** The variables with which a generated project uses a store of its own for `unique`. */
  environment(url: string | undefined, unique: string): Variables;
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

export interface Starts {
  /** The variables of a start that works, on the server at `url`. */
  variables(url: URL): Variables;
  /** Makes a user who may sign in and do nothing else. Resolves to what removes it. */
  withoutRights(url: URL, user: string, password: string): Promise<() => Promise<void>>;
  wrong: WrongStart[];
}

/** A start that must fail: what is wrong, by which variables, and how the last line names the setting. */
export interface WrongStart {
  what: string;
  variables(given: GivenStart): Variables;
  line: RegExp;
}

export interface GivenStart {
  url: URL;
  /** A port on which nothing listens. */
  freePort: number;
  /** The user that `withoutRights` made, and the password. As the server's own user's password it is a wrong one. */
  user: string;
  password: string;
}

export interface OpenStore {
  /** A further driver instance on this store. The suite closes what it opens. */
  driver(): Promise<SessionDriver>;
  /** Edits the stored row by hand so that `read` can see it is none (data that is no object, a hash of 3 bytes). */
  corrupt?(id: string): Promise<void>;
  /** Removes the store with everything in it. */
  cleanUp(): Promise<void>;
}
