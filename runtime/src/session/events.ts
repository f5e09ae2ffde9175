// What happens to sessions, for logs, metrics and alerts. No event carries a secret.
// Add an event here, then emit it where it happens.

export type SessionEvent =
  | { type: "created" | "renewed"; id: string; userid: string | null }
  /** A session of another system was taken over. */
  | { type: "adopted"; id: string; userid: string | null }
  | { type: "ended"; id: string; reason: EndReason; userid?: string | null }
  | { type: "locked"; id: string; userid: string | null; by: "ipaddress" | "useragent" }
  /** A token of an expired session was presented. */
  | { type: "expired"; id: string; userid: string | null }
  | { type: "purged"; count: number }
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

export type EventHook = (event: SessionEvent) => void;

/** Wraps a hook so that its failure, thrown or rejected, doesn't break the request that caused the event. */
export function safely(hook: EventHook): EventHook {
  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error));
  return (event) => {
    try {
      const result: unknown = hook(event);
      if (result instanceof Promise) result.catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}
