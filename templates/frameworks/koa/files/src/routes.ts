// The app's own routes. `ctx.session` is there in each of them.
// Replace the sample by your routes; src/session-data.ts says what a session may hold.
import Router from "@koa/router";

export function routes(): Router {
  // Exactly one URL per resource. Without `sensitive`, "/Members/me" would pass by what `use` puts before "/members/me".
  const router = new Router({ sensitive: true, strict: true });

  // Counts this visitor's requests. An update is atomic: however many requests come at once, all of them count.
  router.get("/visits", async (ctx) => {
    await ctx.session.update((data) => {
      data.visits = (data.visits ?? 0) + 1;
    });
    ctx.body = { visits: ctx.session.data.visits };
  });

  return router;
}
