// Everything that a project's content depends on, besides the version of create-session-app.
// Change it when another answer changes what is generated; record.ts writes it into the project.
import type { Pack } from "../packs/catalog.ts";
import type { Added } from "./added.ts";
import type { PackageManager } from "./package-manager.ts";

export interface Choice {
  name: string;
  framework: Pack;
  backend: Pack;
  /** The store that the project had before, whose driver stays while sessions are moved. */
  previous?: Pack | undefined;
  packageManager: PackageManager;
  /** Without the example. */
  minimal: boolean;
  /** The Node here is too old for the project: it gets a current one as a dev dependency. */
  nodePinned: boolean;
  /** The project lies in a workspace that takes it for a member: the lock file and the settings are the root's. */
  workspaceMember: boolean;
  /** Set where sessions were added to an app that was there before. */
  added?: Added | undefined;
}
