// Whether the app is well, for load balancers, containers and monitoring. Neither route starts a session.
// Add checks of what else the app depends on here.
import type { FastifyPluginAsync } from "fastify";
import type { Sessions } from "../session/sessions.ts";

export function health(sessions: Sessions): FastifyPluginAsync {
  return async (app) => {
    // Readiness: 503 while the store is down.
    app.get("/health", async (_request, reply) => {
      const store = await sessions.health();
      return reply
        .code(store === "up" ? 200 : 503)
        .header("Cache-Control", "no-store")
        .send({ store });
    });

    // Liveness: whether this process serves, whatever the store does.
    app.get("/health/live", async () => ({ live: true }));
  };
}
