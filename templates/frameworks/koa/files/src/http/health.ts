// Whether the app is well, for load balancers, containers and monitoring. Neither route starts a session.
// Add checks of what else the app depends on here.
import Router from "@koa/router";
import type { Sessions } from "../session/sessions.ts";

export function health(sessions: Sessions): Router {
  const router = new Router({ sensitive: true, strict: true });

  // Readiness: 503 while the store is down.
  router.get("/health", async (ctx) => {
    const store = await sessions.health();
    ctx.status = store === "up" ? 200 : 503;
    ctx.set("Cache-Control", "no-store");
    ctx.body = { store };
  });

  // Liveness: whether this process serves, whatever the store does.
  router.get("/health/live", (ctx) => {
    ctx.body = { live: true };
  });

  return router;
}
