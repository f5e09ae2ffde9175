// Whether the app is well, for load balancers, containers and monitoring. Neither route starts a session.
// Add checks of what else the app depends on here.
import type { Sessions } from "../session/sessions.ts";
import { sendJson } from "./respond.ts";
import type { Router } from "./router.ts";

export function addHealth(router: Router, sessions: Sessions): void {
  // Readiness: 503 while the store is down.
  router.on("GET", "/health", async ({ response }) => {
    const store = await sessions.health();
    response.setHeader("Cache-Control", "no-store");
    sendJson(response, { store }, store === "up" ? 200 : 503);
  });

  // Liveness: whether this process serves, whatever the store does.
  router.on("GET", "/health/live", ({ response }) => {
    sendJson(response, { live: true });
  });
}
