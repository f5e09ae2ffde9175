// What the keeper has to know to start one kind of server.
// Change it when a server needs something from the keeper that none did before.

/** The server can't run on this machine. The message says why, and what would help. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface Wishes {
  /** Whether confirmed writes have to survive `kill -9`: the server then syncs each of them to disk, whatever it costs. */
  durable: boolean;
}

/** One process of a server. */
export interface UnitPlan {
  command: string[];
  env?: Record<string, string>;
  /** Run as nobody when the tests run as root: some servers refuse to run as root. */
  unprivileged: boolean;
  /** Whether its output since the last start says that it is ready. */
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
  /** Lays the server's files out in `folder`, which is empty and which the user nobody may enter. Throws Unavailable. */
  plan(folder: string, wishes: Wishes): Promise<ServerPlan>;
}
