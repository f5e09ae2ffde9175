// The Lua scripts, each an atomic step on one key (schema.md), so that they work in a cluster.
// Change a script with its arguments; old and new processes get along, as Redis finds scripts by their hash.

import { defineScript } from "redis";

/** Lua writes large numbers as 1e+11; Redis wants digits. */
const LUA_INTEGER = `local function integer(n) return string.format("%.0f", n) end\n`;

/** KEYS[1] session; ARGV: milliseconds to live, then fields and values. 0: the id is taken. */
const CREATE = `
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
for i = 2, #ARGV, 1000 do redis.call("HSET", KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
redis.call("PEXPIRE", KEYS[1], ARGV[1])
return 1`;

/**
 * KEYS[1] session; ARGV: now, version or "", secret hash or "", lifetime ("": no touch), how many fields to remove, those
 * fields, then fields and values to set. Returns the outcome; with "done", if the user's index must be told, the user and
 * until when to keep the session there: two idle times beyond its expiry, so that not every touch need tell it.
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

/** KEYS[1] session; ARGV: a user, and until when that user's index keeps the session. */
const NOTE = `if redis.call("HGET", KEYS[1], "userid") == ARGV[1] then redis.call("HSET", KEYS[1], "indexed", ARGV[2]) end`;

/** KEYS[1] session; ARGV: the user whose session it must be, if any. Returns the user ("": a guest), nil: nothing to end. */
const END = `
local userid = redis.pcall("HGET", KEYS[1], "userid")
if type(userid) ~= "string" then userid = "" end
if ARGV[1] and ARGV[1] ~= userid then return false end
if redis.call("DEL", KEYS[1]) == 0 then return false end
return userid`;

/** KEYS[1] a user's index; ARGV: now, the session's id, until when to keep it. */
const INDEX = `${LUA_INTEGER}
redis.call("ZADD", KEYS[1], "GT", ARGV[3], ARGV[2])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", "(" .. ARGV[1])
local last = redis.call("ZRANGE", KEYS[1], -1, -1, "WITHSCORES")
if last[2] then redis.call("PEXPIRE", KEYS[1], integer((tonumber(last[2]) + 1 - tonumber(ARGV[1])) * 1000)) end`;

function script<Reply>(SCRIPT: string) {
  return defineScript({
    SCRIPT: SCRIPT.trim(),
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
  indexSession: script<null>(INDEX),
  noteIndexed: script<null>(NOTE),
};
