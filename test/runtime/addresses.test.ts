// Who the client is: addresses, proxies, and the locks that go by them.
// Add a chain of proxies that turns up in practice.
import { describe, expect, test } from "vitest";
import { normalise } from "../../runtime/src/session/origin.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { intercept, memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

describe("addresses", () => {
  test.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1.2.3.4:8080", "1.2.3.4"],
    ["1.2.3", undefined],
    ["unknown", undefined],
    ["", undefined],
  ])("S16: %s is %s", (text, expected) => {
    expect(normalise(text)).toBe(expected);
  });

  const chains: [SessionSettings["trustProxy"], string, string | undefined, string][] = [
    [undefined, "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    [["10.0.0.0/8"], "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    [["10.0.0.0/8"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"],
    [["10.0.0.0/8"], "::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "garbage", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", undefined, "10.0.0.1"],
    [["::ffff:10.0.0.0/104"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [["2001:db8::/32"], "2001:DB8::5", "2001:470::1", "2001:470::1"],
    [1, "10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"],
    [2, "10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"],
  ];
  test.each(chains)(
    "S16: trustProxy %j, from %s, X-Forwarded-For %s: the client is %s",
    async (trustProxy, remoteAddress, forwarded, expected) => {
      const visitor = new Visitor(await memoryApp({ trustProxy }));
      const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
      const answer = await visitor.visit((session) => session.ipaddress, { remoteAddress, headers });
      expect(answer.result).toBe(expected);
    },
  );

  test("S16 S22: limits count by the address of each request, wherever its session was begun", async () => {
    const visitor = new Visitor(await memoryApp({ trustProxy: ["10.0.0.0/8"] }));
    await visitor.visit(write("here", 1), { remoteAddress: "192.0.2.1" });
    const addressOf = async (remoteAddress: string, forwarded: string) => {
      const request = { remoteAddress, headers: { "x-forwarded-for": forwarded } };
      return (await visitor.visit((session) => [session.clientAddress, session.ipaddress], request)).result;
    };
    expect(await addressOf("10.0.0.1", "198.51.100.7")).toEqual(["198.51.100.7", "192.0.2.1"]);
    expect(await addressOf("::ffff:192.0.2.2", "198.51.100.7")).toEqual(["192.0.2.2", "192.0.2.1"]);
  });

  test.each([
    ["ipAddressLock", { remoteAddress: "192.0.2.2" }, "ipaddress"],
    ["userAgentLock", { headers: { "user-agent": "other" } }, "useragent"],
  ] as const)("S16: %s ends the session for good at the first difference", async (lock, request, by) => {
    const target = await memoryApp({ [lock]: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    expect((await visitor.visit((session) => session.exists, request)).result).toBe(false);
    expect((await visitor.visit((session) => session.exists)).result).toBe(false);
    expect(target.events).toContainEqual(expect.objectContaining({ type: "locked", by }));
    expect(target.events).toContainEqual(expect.objectContaining({ type: "ended", reason: "locked" }));
  });

  test("S16: the IP lock sees one address behind its two spellings, and a forged header is no way around it", async () => {
    const visitor = new Visitor(await memoryApp({ ipAddressLock: true }));
    await visitor.visit(write("here", 1), { remoteAddress: "::ffff:192.0.2.1" });
    expect((await visitor.visit((session) => session.exists, { remoteAddress: "192.0.2.1" })).result).toBe(true);
    const thief = await visitor.visit((session) => session.exists, {
      remoteAddress: "192.0.2.66",
      headers: { "x-forwarded-for": "192.0.2.1" },
    });
    expect(thief.result).toBe(false);
  });
});

describe("S16: the lock", () => {
  test("S16: a client that has gone has no address, and doesn't lose its session for it", async () => {
    const target = await memoryApp({ ipAddressLock: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    for (const remoteAddress of ["", undefined]) {
      const gone = { ...visitor.request(), remoteAddress };
      expect((await target.sessions.begin(gone)).session.exists).toBe(false);
    }
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    expect(target.events.map(({ type }) => type)).toEqual(["created"]);
  });

  test("S16: a connection that goes while the store is asked counts with the address that it had", async () => {
    const target = await memoryApp({ ipAddressLock: true });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    intercept(target.driver, ["read"], () => new Promise((resume) => setTimeout(resume, 5)));
    const request = { ...visitor.request() };
    const begun = target.sessions.begin(request);
    request.remoteAddress = undefined;
    expect((await begun).session.exists).toBe(true);
  });

  test.each([
    ["IPv6, however it is spelt", {}, "2001:db8::1", "2001:0db8:0::0:1", "2001:db8::2"],
    ["an address behind a trusted proxy", { trustProxy: ["10.0.0.1"] }, "203.0.113.7", "203.0.113.7", "203.0.113.8"],
  ])("S16: %s", async (_, settings, first, same, other) => {
    const target = await memoryApp({ ipAddressLock: true, ...settings });
    const from = (address: string) =>
      "trustProxy" in settings
        ? { remoteAddress: "10.0.0.1", headers: { "x-forwarded-for": address } }
        : { remoteAddress: address };
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1), from(first));
    expect((await visitor.visit((session) => session.ipaddress, from(same))).result).toBe(first);
    expect((await visitor.visit((session) => session.exists, from(other))).result).toBe(false);
    expect((await visitor.visit((session) => session.exists, from(first))).result).toBe(false);
  });
});
