import { describe, expect, test } from "vitest";
import { fetchRaw, put, serve } from "./express.ts";

describe("headers", () => {
  test("S4: other Set-Cookie headers survive, wherever they are set", async () => {
    const { url } = await serve(
      (request, response) => {
        put(request, "here");
        response.cookie("b", "2");
        response.writeHead(200, { "Set-Cookie": ["b=2", "c=3"] }).end();
      },
      {
        before: [
          (_, response, next) => {
            response.cookie("a", "1");
            next();
          },
        ],
      },
    );
    const { headers } = await fetchRaw(url);
    expect(headers["set-cookie"]?.map((line) => line.split("=")[0]).sort()).toEqual(["b", "c", "session"]);
    const plain = await serve((request, response) => {
      put(request, "here");
      response.cookie("a", "1").send();
    });
    expect((await fetchRaw(plain.url)).headers["set-cookie"]).toHaveLength(2);
  });

  test("S23: a handler's own Cache-Control stays, but for a response with a token; Vary is added to", async () => {
    const { url } = await serve((request, response) => {
      if (!request.session.exists) put(request, "here");
      response.set({ "Cache-Control": "max-age=5", Vary: "Accept" }).send();
    });
    const { headers, cookie } = await fetchRaw(url);
    expect(headers).toMatchObject({ "cache-control": "private, max-age=5", vary: "Accept, Cookie" });
    const again = await fetchRaw(url, "GET", { cookie: cookie ?? "" });
    expect(again.headers).toMatchObject({ "cache-control": "max-age=5", vary: "Accept, Cookie" });
  });

  test("S23: a response that never looked at the session stays cacheable", async () => {
    const { url } = await serve((_, response) => void response.send("hello"));
    const { headers } = await fetchRaw(url);
    expect([headers["cache-control"], headers.vary]).toEqual([undefined, undefined]);
  });
});
