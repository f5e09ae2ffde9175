// The errors that sessions throw, as error handlers of frameworks and packages see them.
// Add every new error.
import { expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { DataTooLarge, InvalidData } from "../../runtime/src/session/data.ts";
import { CrossOrigin } from "../../runtime/src/session/origin.ts";
import { StaleToken } from "../../runtime/src/session/stale-token.ts";

test.each([
  [new StoreUnavailable("down"), 503],
  [new InvalidData("no"), 500],
  [new InvalidData("no", 422), 422],
  [new DataTooLarge("no"), 413],
  [new CrossOrigin("https://evil.example", "app.example"), 403],
  [new StaleToken(), 401],
])("S12: %s carries its status as `status` and as `statusCode`", (error, status) => {
  expect(error).toMatchObject({ status, statusCode: status, name: error.constructor.name });
});
