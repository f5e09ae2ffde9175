// The app's own routes. `request.session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import type { FastifyInstance } from "fastify";

export async function routes(app: FastifyInstance): Promise<void> {
  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  app.get("/visits", async (request) => {
    await request.session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    return { visits: request.session.data.visits };
  });
}
