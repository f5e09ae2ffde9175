// Reports what a handler writes to its session when nobody saves it any more.
import type { SessionContext } from "./context.ts";
import type { SessionState } from "./state.ts";

const AFTER_RESPONSE =
  "A session was written to after the response had been sent, and not saved: write before, or call session.save()";
const TOO_LATE =
  "A session was written to after the response's headers had been sent, too late to start it: write before";

/** One request's. What is not saved is reported once. */
export class LateWrites {
  readonly #context: SessionContext;
  #isCheckDue = false;
  #isReported = false;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** To be called when the response has been sent: from now on, code that gets hold of the session may write in vain. */
  watch(state: SessionState): void {
    this.#check(state);
    state.onAccess(() => {
      if (this.#isCheckDue) return;
      this.#isCheckDue = true;
      setImmediate(() => {
        this.#isCheckDue = false;
        this.#check(state);
      });
    });
  }

  /** Reports what is unsaved where the request can't have a session. */
  reportUnavailable(state: SessionState, reason: string): void {
    if (state.unsaved() !== undefined) this.#report(`A session was written to, and not saved. ${reason}`);
  }

  /** Reports what would start a session, when the headers that could carry its cookie have been sent. */
  reportTooLate(state: SessionState): void {
    if (state.unsaved() !== undefined) this.#report(TOO_LATE);
  }

  reportFailure(error: Error): void {
    this.#report(`A session was not saved: ${error.message}`);
  }

  #check(state: SessionState): void {
    // A save of the handler's own may be under way.
    if (this.#isReported || state.queue.latest !== undefined) return;
    try {
      if (state.unsaved() !== undefined) this.#report(AFTER_RESPONSE);
    } catch (error) {
      this.reportFailure(error as Error);
    }
  }

  #report(message: string): void {
    this.#isReported = true;
    this.#context.emit({ type: "warning", message });
  }
}
