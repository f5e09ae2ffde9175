// What the keeper must know to bring up one kind of server.
// Change it when a server needs something from the keeper that none did before.

/** This machine can't have the server. The message says why, and what would help. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface Wishes {
  /** What the server answered with success must survive `kill -9`: sync to disk, whatever it costs. */
  durable: boolean;
}

/** One process of a server. */
export interface UnitPlan {
  command: string[];
  env?: Record<string, string>;
  /** Run as nobody when the tests run as root: some servers refuse to run as root. */
  unprivileged: boolean;
  /** Whether what it has printed so far, since its last start, says that it serves. */
  ready(output: string): boolean;
  stopSignal: "SIGTERM" | "SIGINT";
}

/** A server whose files are laid out and whose processes can be started. */
export interface ServerPlan {
  url: string;
  /** The addresses of a cluster's nodes, in the order of `units`. */
  nodes?: string[];
  /** Whether data survives a restart. */
  keepsData: boolean;
  units: UnitPlan[];
  /** Once, after the first start. */
  settle?(): Promise<void>;
}

export interface Recipe {
  /** Lays the server out in `folder`, an empty one that nobody may enter. Throws Unavailable. */
  plan(folder: string, wishes: Wishes): Promise<ServerPlan>;
}
