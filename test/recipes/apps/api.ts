// What every built app of the tests responds to below /api, whatever framework it is made with.
// Change it together with built.test.ts.

/** The session as far as these routes use it. */
interface Session {
  id: string | undefined;
  userid: string | null;
  token: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests write keys that an app's own type doesn't have.
  data: any;
  ended: boolean;
  signIn(userid: string): Promise<void>;
  destroy(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  update(change: (data: any) => unknown): Promise<unknown>;
}

let arrived: (() => void) | undefined;

/** Resolves when two requests wait for it. */
function bothArrived(): Promise<void> {
  const first = arrived;
  arrived = undefined;
  first?.();
  return first === undefined
    ? new Promise((resolve) => {
        arrived = resolve;
      })
    : Promise.resolve();
}

/** @param session is called by routes that need the session, and by no other */
export async function api(request: Request, session: () => Session): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /api/session": {
      const { userid, data } = session();
      return Response.json({ userid, data });
    }
    case "GET /api/public":
      return Response.json({ public: true });
    case "POST /api/visit":
      await session().update((data) => {
        data.visits = (data.visits ?? 0) + 1;
      });
      return Response.json({ visits: session().data.visits });
    case "POST /api/keep":
      session().data.kept = true;
      return Response.json({ saved: true });
    case "POST /api/both": {
      const { data } = session();
      await bothArrived();
      data[searchParams.get("key") ?? ""] = true;
      return Response.json({});
    }
    case "POST /api/login": {
      await session().signIn(String(searchParams.get("userid")));
      const response = Response.json({ userid: session().userid });
      response.headers.append("set-cookie", "other=1; Path=/");
      return response;
    }
    case "POST /api/logout":
      await session().destroy();
      return new Response(null, { status: 204 });
    case "POST /api/stream": {
      const { data } = session();
      data.before = true;
      const body = new ReadableStream(
        {
          start(controller) {
            controller.enqueue(new TextEncoder().encode("one "));
          },
          pull(controller) {
            data.during = true;
            controller.enqueue(new TextEncoder().encode("two"));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(body, { headers: { "content-type": "text/plain" } });
    }
    case "POST /api/fail":
      session().data.kept = true;
      throw new Error("thrown by a handler");
    case "POST /api/large":
      session().data.large = "x".repeat(100_000);
      return Response.json({ saved: true });
    case "POST /api/large-update":
      await session().update((data) => {
        data.large = "x".repeat(100_000);
      });
      return Response.json({ saved: true });
    default:
      return Response.json({ error: "not found" }, { status: 404 });
  }
}
