// The Lua scripts. Each is one atomic step on one key (see schema.md), so that they work in a cluster.
// Redis finds a script by the hash of its text, so processes with an old and a new version can share a server.

import { defineScript } from "redis";

/** Lua writes large numbers as 1e+11, which Redis doesn't accept. */
const LUA_INTEGER = `local function integer(n) return string.format("%.0f", n) end\n`;

/** KEYS[1] is the session. ARGV: milliseconds to live, then fields and values. Returns 0 if the id is taken. */
const CREATE = `
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
for i = 2, #ARGV, 1000 do redis.call("HSET", KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
redis.call("PEXPIRE", KEYS[1], ARGV[1])
return 1`;

/**
 * KEYS[1] is the session. ARGV: now, version or "", secret hash or "", lifetime or "" (no touch), how many fields to
 * remove, those fields, then fields and values to set. Returns the outcome. When the entry in the index of users has to be
 * written, the user and the time until which it must be kept follow "done". That time is two idle times beyond the
 * session's expiry, so that the entry is written about once per idle time and not with every touch.
 */
const CHANGE = `${LUA_INTEGER}
local key, now = KEYS[1], tonumber(ARGV[1])
if redis.call("EXISTS", key) == 0 then return {"gone"} end
local row = redis.call("HMGET", key, "version", "secretHash", "created", "updated", "expires", "idle")
local created, updated, expires = tonumber(row[3]), tonumber(row[4]), tonumber(row[5])
if not (tonumber(row[1]) and created and updated and expires and tonumber(row[6])) then return {"unreadable"} end
if expires < now then return {"gone"} end
if (ARGV[2] ~= "" and ARGV[2] ~= row[1]) or (ARGV[3] ~= "" and ARGV[3] ~= row[2]) then return {"conflict"} end
local first = 6 + tonumber(ARGV[5])
for i = 6, first - 1, 1000 do redis.call("HDEL", key, unpack(ARGV, i, math.min(i + 999, first - 1))) end
for i = first, #ARGV, 1000 do redis.call("HSET", key, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
redis.call("HINCRBY", key, "version", 1)
local after = redis.call("HMGET", key, "idle", "userid", "indexed")
local idle = tonumber(after[1])
if ARGV[4] ~= "" then
  updated = math.max(updated, now)
  expires = math.min(updated + idle, created + tonumber(ARGV[4]))
  redis.call("HSET", key, "updated", integer(updated), "expires", integer(expires))
  redis.call("PEXPIRE", key, integer((expires + 1 - now) * 1000))
end
if not after[2] or expires <= (tonumber(after[3]) or 0) - idle then return {"done"} end
return {"done", after[2], integer(expires + 2 * idle)}`;

/** KEYS[1] is the session. ARGV: a user, and the time until which the index keeps this session for that user. */
const NOTE_INDEXED = `
if redis.call("HGET", KEYS[1], "userid") == ARGV[1] then redis.call("HSET", KEYS[1], "indexed", ARGV[2]) end`;

/** KEYS[1] is the session. ARGV: the user whose session it must be, if any. Returns the user ("" for a guest), or nil if nothing was ended. */
const END = `
local userid = redis.pcall("HGET", KEYS[1], "userid")
if type(userid) ~= "string" then userid = "" end
if ARGV[1] and ARGV[1] ~= userid then return false end
if redis.call("DEL", KEYS[1]) == 0 then return false end
return userid`;

/** KEYS[1] is a part of the index. ARGV: now, until when to keep the entry, the entry. Returns 1 if the entry is new. */
const ADD_TO_INDEX = `
local added = redis.call("ZADD", KEYS[1], "GT", ARGV[2], ARGV[3])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", "(" .. ARGV[1])
return added`;

/**
 * KEYS[1] is a part of the index. ARGV: the user with the space that ends it, and the marker. Returns the ids of the
 * user's sessions, or nil if the marker is missing. The marker has the highest score of all, so it is the last entry.
 */
const READ_INDEX = `
local entries = redis.call("ZRANGE", KEYS[1], 0, -1)
if entries[#entries] ~= ARGV[2] then return false end
local ids, length = {}, #ARGV[1]
for _, entry in ipairs(entries) do
  if string.sub(entry, 1, length) == ARGV[1] then ids[#ids + 1] = string.sub(entry, length + 1) end
end
return ids`;

/** KEYS[1] is a part of the index. ARGV: the entry that the rebuild began with, and the marker. Returns 1 if that entry was still there. */
const COMPLETE_INDEX = `
if redis.call("ZREM", KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call("ZADD", KEYS[1], "inf", ARGV[2])
return 1`;

function script<Reply>(text: string) {
  return defineScript({
    SCRIPT: text.trim(),
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key: string, args: string[]) {
      parser.pushKey(key);
      parser.push(...args);
    },
    transformReply: undefined as unknown as () => Reply,
  });
}

export const scripts = {
  createSession: script<number>(CREATE),
  changeSession: script<string[]>(CHANGE),
  endSession: script<string | null>(END),
  noteIndexed: script<null>(NOTE_INDEXED),
  addToIndex: script<number>(ADD_TO_INDEX),
  readIndex: script<string[] | null>(READ_INDEX),
  completeIndex: script<number>(COMPLETE_INDEX),
};
