// The checksum by which a generated file is told from one that was changed since: CRC-32 and the length. Nothing secret hangs on it.
// Change it only together with the records of projects that are out there.
import { crc32 as native } from "node:zlib";

/*
  A cryptographic hash would do no more here, and loading node:crypto takes 4 ms, a tenth of a whole run.
*/
export function checksum(content: Uint8Array): string {
  // Node 20 has its own from 20.15 on.
  const sum = (native ?? crc32)(content);
  return `${sum.toString(16).padStart(8, "0")}-${content.length.toString(16)}`;
}

export function crc32(content: Uint8Array): number {
  let sum = ~0;
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}
