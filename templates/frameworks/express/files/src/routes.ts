// The app's own routes. `request.session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import type { Express } from "express";

export function addRoutes(app: Express): void {
  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  app.get("/visits", async (request, response) => {
    await request.session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    response.json({ visits: request.session.data.visits });
  });
}
