// The app's own routes. `ctx.session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import Router from "@koa/router";

export function routes(): Router {
  const router = new Router();

  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  router.get("/visits", async (ctx) => {
    await ctx.session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    ctx.body = { visits: ctx.session.data.visits };
  });

  return router;
}
