// Whether the app is well, for load balancers, containers and monitoring. Neither route starts a session.
// Add checks of what else the app depends on here.
import type { Express } from "express";
import type { Sessions } from "../session/sessions.ts";

export function addHealth(app: Express, sessions: Sessions): void {
  // Readiness: 503 while the store is down.
  app.get("/health", async (_request, response) => {
    const store = await sessions.health();
    response
      .status(store === "up" ? 200 : 503)
      .set("Cache-Control", "no-store")
      .json({ store });
  });

  // Liveness: whether this process serves, whatever the store does.
  app.get("/health/live", (_request, response) => {
    response.json({ live: true });
  });
}
