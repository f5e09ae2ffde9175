// The app's own routes. `c.var.session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import { Hono } from "hono";
import type { AppEnv } from "./http/body.ts";

export function routes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  app.get("/visits", async (c) => {
    const { session } = c.var;
    await session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    return c.json({ visits: session.data.visits });
  });

  return app;
}
