// What every generated project has to do over HTTP: the example's requests, and whatever of its sessions and faults shows from outside.
// Add a part for a new subject; nothing here may know a framework, a backend or a file of the project.

import { describe } from "vitest";
import { bearerTests } from "./suite/bearer.ts";
import { bodyTests } from "./suite/bodies.ts";
import { cookieTests } from "./suite/cookie.ts";
import { dataTests } from "./suite/data.ts";
import { deviceTests } from "./suite/devices.ts";
import { errorTests } from "./suite/errors.ts";
import { exampleTests } from "./suite/examples.ts";
import { formTests } from "./suite/forms.ts";
import { hostileTests } from "./suite/hostile.ts";
import { originTests } from "./suite/origin.ts";
import { pageTests } from "./suite/page.ts";
import { parallelTests } from "./suite/parallel.ts";
import { protocolTests } from "./suite/protocol.ts";
import { restartTests } from "./suite/restart.ts";
import { signInTests } from "./suite/sign-in.ts";
import type { Target } from "./suite/visitors.ts";

/** Registers the tests. The project has to run in development, with the default settings. */
export function httpSuite(target: Target): void {
  describe(`${target.name} over HTTP`, () => {
    describe("examples", () => exampleTests(target));
    describe("forms", () => formTests(target));
    describe("errors", () => errorTests(target));
    describe("bodies", () => bodyTests(target));
    describe("cookie", () => cookieTests(target));
    describe("Bearer", () => bearerTests(target));
    describe("data", () => dataTests(target));
    describe("parallel requests", () => parallelTests(target));
    describe("signing in and out", () => signInTests(target));
    describe("devices", () => deviceTests(target));
    describe("other origins", () => originTests(target));
    describe("page", () => pageTests(target));
    describe("protocol", () => protocolTests(target));
    describe("hostile input", () => hostileTests(target));
    if (target.persistent) describe("restart", () => restartTests(target));
  });
}
