// Whose session it is: what a userid may look like.
// Change the length here, and the column in the schema with it.
import type { StoreLimits } from "./contract.ts";
import { checkText, InvalidData } from "./data.ts";

const MAX_LENGTH = 255;

/** Throws InvalidData unless the text can be stored as a userid. */
export function checkUserid(userid: string, limits: StoreLimits = {}): void {
  if (typeof userid !== "string" || userid === "" || userid.length > MAX_LENGTH || !userid.isWellFormed()) {
    throw new InvalidData(`userid must be well-formed text of 1 to ${MAX_LENGTH} characters, or null`, 422);
  }
  checkText(userid, "userid", limits);
}
