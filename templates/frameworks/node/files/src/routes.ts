// The app's own routes. `session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import { sendJson } from "./http/respond.ts";
import type { Router } from "./http/router.ts";

export function addRoutes(router: Router): void {
  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  router.on("GET", "/visits", async ({ response, session }) => {
    await session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    sendJson(response, { visits: session.data.visits });
  });
}
