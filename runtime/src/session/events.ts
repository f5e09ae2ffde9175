// What happens to sessions, for logs, metrics and alerts. No event carries a secret.
// Add an event here, then emit it where it happens.

export type SessionEvent =
  | { type: "created"; id: string; userid: string | null }
  /** Also where the same user signs in again, and for a session that is created by signing in. */
  | { type: "signedIn"; id: string; userid: string }
  /** The session goes on without this user: as a guest's, or as that of the next user who signs in. */
  | { type: "signedOut"; id: string; userid: string }
  /** The session has a new secret, and nobody has signed in or out by that. */
  | { type: "renewed"; id: string; userid: string | null }
  /** A session of another system was taken over. */
  | { type: "adopted"; id: string; userid: string | null }
  | { type: "ended"; id: string; reason: EndReason; userid?: string | null }
  | { type: "locked"; id: string; userid: string | null; by: "ipaddress" | "useragent" }
  /** A token of an expired session was presented. */
  | { type: "expired"; id: string; userid: string | null }
  /** Everybody's sessions were ended. */
  | { type: "endedAll"; count: number }
  /** Expired sessions were removed. */
  | { type: "purged"; count: number; durationMs: number }
  /**
   * A request of another site was refused. `origin` is undefined where only Sec-Fetch-Site gave it away, `host` is the
   * one that it was sent to, `message` names the settings that can allow it.
   */
  | {
      type: "crossOrigin";
      method: string;
      path: string;
      origin: string | undefined;
      host: string | undefined;
      message: string;
    }
  /** A stored row can't be understood; its session counts as absent. */
  | { type: "unreadable"; id: string; message: string }
  | { type: "storeDown"; message: string }
  | { type: "storeUp" }
  | { type: "warning"; message: string };

/** destroyed: by its own request. revoked: from elsewhere. limit: by `maxPerUser`. locked: by a lock. */
export type EndReason = "destroyed" | "revoked" | "limit" | "locked";

export type Hook<T> = (event: T) => void;
/** One hook, or several that are called in this order. */
export type Hooks<T> = Hook<T> | readonly Hook<T>[];
export type EventHook = Hook<SessionEvent>;

/**
 * Makes one hook of all. A failure, thrown or rejected, becomes a warning of the process: it breaks neither the request
 * that caused the event nor the hooks after it.
 */
export function safely<T>(hooks: Hooks<T>): Hook<T> {
  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error));
  const all = [hooks].flat();
  return (event) => {
    for (const hook of all) {
      try {
        const result: unknown = hook(event);
        if (result instanceof Promise) result.catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  };
}
