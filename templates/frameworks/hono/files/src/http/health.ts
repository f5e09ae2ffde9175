// Whether the app is well, for load balancers, containers and monitoring. Neither route starts a session.
// Add checks of what else the app depends on here.
import { Hono } from "hono";
import type { Sessions } from "../session/sessions.ts";
import type { AppEnv } from "./body.ts";

export function health(sessions: Sessions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  // Readiness: 503 while the store is down.
  app.get("/health", async (c) => {
    const store = await sessions.health();
    return c.json({ store }, store === "up" ? 200 : 503, { "Cache-Control": "no-store" });
  });

  // Liveness: whether this process serves, whatever the store does.
  app.get("/health/live", (c) => c.json({ live: true }));

  return app;
}
