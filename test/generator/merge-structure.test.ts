// Merging what has a structure: package.json, .env.example, compose.yaml. What the user has set wins.
// Change it when one of these merges otherwise.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeCompose } from "../../create-session-app/src/project/merge-compose.ts";
import { mergeEnvironment } from "../../create-session-app/src/project/merge-environment.ts";
import { mergeManifest } from "../../create-session-app/src/project/merge-manifest.ts";

const labels = { yours: "yours", ours: "create-session-app 0.2.0" };

describe("package.json", () => {
  const base = {
    name: "my-app",
    version: "0.0.0",
    type: "module",
    engines: { node: ">=22.18" },
    scripts: { dev: "node --watch src/main.ts", start: "node src/main.ts", test: "node --test" },
    dependencies: { cookie: "^2.0.2", express: "^5.1.0", helmet: "^8.0.0" },
    devDependencies: { typescript: "^7.0.2" },
  };
  type Manifest = typeof base & Record<string, unknown>;

  function changed(change: (manifest: Manifest) => unknown): Manifest {
    const copy = structuredClone(base) as Manifest;
    change(copy);
    return copy;
  }

  function merge(yours: Manifest, ours: Manifest) {
    const texts = [base, yours, ours].map((value) => `${JSON.stringify(value, null, 2)}\n`) as [string, string, string];
    const merged = mergeManifest({ base: texts[0], yours: texts[1], ours: texts[2] }, labels);
    if (merged === undefined) throw new Error("not merged");
    return { ...merged, manifest: JSON.parse(merged.text) as Manifest };
  }

  function edit(place: keyof Manifest & string, key: string, value: string | undefined) {
    return changed((manifest) => {
      const section = manifest[place] as Record<string, string>;
      if (value === undefined) delete section[key];
      else section[key] = value;
    });
  }

  test("L2: a range that the user has raised stays, without a word where it is the higher one", () => {
    const merged = merge(edit("dependencies", "express", "^5.3.0"), edit("dependencies", "express", "^5.2.0"));
    expect(merged.manifest.dependencies.express).toBe("^5.3.0");
    expect(merged.notes).toEqual([]);
  });

  test.each(["^5.1.5", "5.1.0", ">=5 <7", "6.0.0-rc.1", "file:../express@7", "npm:other@7", "latest"])(
    "L2: what the user has set stays, and is reported where it may be older: %s",
    (range) => {
      const merged = merge(edit("dependencies", "express", range), edit("dependencies", "express", "^6.0.0"));
      expect(merged.manifest.dependencies.express).toBe(range);
      expect(merged.notes).toEqual([`dependencies > express stays "${range}"; create-session-app 0.2.0 has "^6.0.0".`]);
    },
  );

  test("L2: ranges that the user has left alone are taken, and new dependencies are sorted in", () => {
    const ours = changed((manifest) => {
      manifest.dependencies.helmet = "^9.0.0";
      Object.assign(manifest.dependencies, { compression: "^1.8.0" });
    });
    const { text, notes } = merge(edit("dependencies", "zod", "^4.0.0"), ours);
    expect(Object.entries(JSON.parse(text).dependencies)).toEqual([
      ["compression", "^1.8.0"],
      ["cookie", "^2.0.2"],
      ["express", "^5.1.0"],
      ["helmet", "^9.0.0"],
      ["zod", "^4.0.0"],
    ]);
    expect(notes).toEqual([]);
  });

  test("L2: a script that the user has changed stays, a new one follows the one that it follows in ours", () => {
    const ours = changed((manifest) => {
      const { dev: _, ...others } = manifest.scripts;
      Object.assign(manifest, { scripts: { dev: "node --watch main.ts", sessions: "node sessions.ts", ...others } });
    });
    const merged = merge(edit("scripts", "dev", "tsx watch src/main.ts"), ours);
    expect(Object.keys(merged.manifest.scripts)).toEqual(["dev", "sessions", "start", "test"]);
    expect(merged.manifest.scripts.dev).toBe("tsx watch src/main.ts");
    expect(merged.notes).toHaveLength(1);
  });

  test("L2: what the user has removed stays removed, and is reported when this version has changed it", () => {
    const merged = merge(edit("dependencies", "helmet", undefined), edit("dependencies", "helmet", "^9.0.0"));
    expect(merged.manifest.dependencies).not.toHaveProperty("helmet");
    expect(merged.notes).toEqual(['dependencies > helmet stays removed; create-session-app 0.2.0 has "^9.0.0".']);
    expect(merge(edit("dependencies", "helmet", undefined), base as Manifest).notes).toEqual([]);
  });

  test("L2: what this version no longer has goes, unless the user has changed it", () => {
    const ours = edit("dependencies", "helmet", undefined);
    expect(merge(base as Manifest, ours).manifest.dependencies).not.toHaveProperty("helmet");
    const kept = merge(edit("dependencies", "helmet", "^8.1.0"), ours);
    expect(kept.manifest.dependencies.helmet).toBe("^8.1.0");
    expect(kept.notes).toEqual(['dependencies > helmet stays "^8.1.0"; create-session-app 0.2.0 no longer has it.']);
  });

  test("L2: a dependency is never in two sections: it stays where the user keeps it", () => {
    const moved = changed((manifest) => {
      manifest.devDependencies = {} as never;
      Object.assign(manifest.dependencies, { typescript: "^7.0.2" });
    });
    const merged = merge(moved, edit("devDependencies", "typescript", "^7.1.0"));
    expect(merged.manifest.devDependencies).toEqual({});
    expect(merged.manifest.dependencies).toMatchObject({ typescript: "^7.1.0" });

    const added = edit("devDependencies", "compression", "^1.7.0");
    const both = merge(added, edit("dependencies", "compression", "^1.8.0")).manifest;
    expect(both.dependencies).not.toHaveProperty("compression");
    expect(both.devDependencies).toMatchObject({ compression: "^1.7.0" });
  });

  test("L2: the order of keys, the indentation, the line ends and what is no concern of ours stay", () => {
    const yours =
      '\ufeff{\r\n\t"type": "module",\r\n\t"name": "theirs",\r\n\t"prettier": {\r\n\t\t"semi": false\r\n\t}\r\n}';
    const ours = { ...base, license: "MIT" };
    const texts = { base: JSON.stringify({ name: "my-app", type: "module" }), yours, ours: JSON.stringify(ours) };
    const merged = mergeManifest({ ...texts, ours: '{"name":"my-app","type":"module","private":true}' }, labels);
    expect(merged?.text).toBe(
      '\ufeff{\r\n\t"type": "module",\r\n\t"private": true,\r\n\t"name": "theirs",\r\n\t"prettier": {\r\n\t\t"semi": false\r\n\t}\r\n}',
    );
  });

  test.each([
    ["a key twice", '{"name": "a", "name": "b"}'],
    ["a comment", '{"name": "a" /* mine */}'],
    ["a number that JSON writes otherwise", '{"version": 1.0}'],
    ["no object", "[]"],
    ["conflict markers", "<<<<<<< yours\n{}"],
  ])("L3: what can't be read without losing something is left to a merge by lines: %s", (_, yours) => {
    expect(mergeManifest({ base: "{}", yours, ours: "{}" }, labels)).toBeUndefined();
  });

  test("L3: whatever the user sets or adds at random stays, and a second merge changes nothing", () => {
    const key = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "10");
    const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.boolean(), fc.constant(null), fc.array(fc.nat(3)));
    const value = fc.oneof(leaf, fc.dictionary(key, leaf));
    const manifest = fc.dictionary(key, value).map((object) => JSON.stringify(object, null, 2));
    fc.assert(
      fc.property(manifest, manifest, manifest, (before, yours, ours) => {
        const merged = mergeManifest({ base: before, yours, ours }, labels);
        if (merged === undefined) return;
        const [own, old, result] = [yours, before, merged.text].map(leaves);
        for (const [place, content] of own ?? []) {
          if (old?.get(place) !== content) expect(result?.get(place)).toBe(content);
        }
        const again = mergeManifest({ base: ours, yours: merged.text, ours }, labels);
        expect(again?.text).toBe(merged.text);
      }),
      { numRuns: 500 },
    );
  });

  /** What isn't an object, by its place. */
  function leaves(text: string): Map<string, string> {
    const found = new Map<string, string>();
    const walk = (value: unknown, place: string) => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      if (!isObject) found.set(place, JSON.stringify(value));
      else for (const [key, inner] of Object.entries(value)) walk(inner, `${place}/${key}`);
    };
    walk(JSON.parse(text), "");
    return found;
  }
});

describe(".env.example", () => {
  const base = `# Settings of my-app.

# The server

# The port to listen on.
#PORT=3000
#HOST=localhost

# Sessions

# Seconds without a request.
#SESSION_IDLE=86400
#SESSION_START=write
`;
  const merge = (yours: string, ours: string) => mergeEnvironment({ base, yours, ours }, labels);

  test("L2: a value that the user has set stays beside a comment and a variable of ours", () => {
    const yours = base.replace("#PORT=3000", "PORT=8080");
    const ours = base
      .replace("# The port to listen on.\n", "# The port to listen on. 0: any free one.\n")
      .replace("#HOST=localhost\n", "#HOST=localhost\n# Trusted proxies.\n#TRUST_PROXY=\n");
    expect(merge(yours, ours)).toEqual({ text: ours.replace("#PORT=3000", "PORT=8080"), notes: [] });
  });

  test("L2: where both have changed a value, the user's stays and the other is reported", () => {
    const merged = merge(base.replace("=86400", "=600"), base.replace("=86400", "=43200"));
    expect(merged?.text).toBe(base.replace("=86400", "=600"));
    expect(merged?.notes).toEqual([
      "SESSION_IDLE stays as you have it; create-session-app 0.2.0 has #SESSION_IDLE=43200.",
    ]);
  });

  test("L2: variables of the user's, their order and what they have removed stay", () => {
    const yours = `${base.replace("#HOST=localhost\n", "")}\n# Mail\nSMTP_URL=smtp://localhost\n`;
    const ours = `${base.replace("#HOST=localhost", "#HOST=127.0.0.1")}#SESSION_NEW=1\n`;
    const merged = merge(yours, ours);
    expect(merged?.text).toBe(yours.replace("#SESSION_START=write\n", "#SESSION_START=write\n#SESSION_NEW=1\n"));
    expect(merged?.notes).toEqual(["HOST stays removed; create-session-app 0.2.0 has changed it."]);
  });

  test("L2: a variable that this version no longer has goes with its comment, unless the user has set it", () => {
    const ours = base.replace("# Seconds without a request.\n#SESSION_IDLE=86400\n", "");
    expect(merge(base, ours)?.text).toBe(ours);
    const set = base.replace("#SESSION_IDLE=86400", "SESSION_IDLE=60");
    expect(merge(set, ours)).toEqual({
      text: set,
      notes: ["SESSION_IDLE stays as you have it; create-session-app 0.2.0 no longer has it."],
    });
  });

  test("L2: a variable that both have added is there once, as the user has it", () => {
    const merged = merge(
      `${base}REDIS_URL=redis://cache\n`,
      base.replace("#HOST", "#REDIS_URL=redis://localhost\n#HOST"),
    );
    expect(merged?.text).toBe(`${base}REDIS_URL=redis://cache\n`);
  });

  test("L3: a comment of the user's stays when its variable changes or goes", () => {
    const yours = base.replace("#SESSION_START=write", "# We want one for every visitor.\n#SESSION_START=write");
    expect(merge(yours, base.replace("START=write", "START=visit"))?.text).toBe(
      yours.replace("START=write", "START=visit"),
    );
    expect(merge(yours, base.replace("#SESSION_START=write\n", ""))?.text).toBe(yours);
  });

  test("L2: line ends and a missing newline at the end stay as the user has them", () => {
    const yours = base.replace("#PORT=3000", "PORT=1").trimEnd().replaceAll("\n", "\r\n");
    const merged = merge(yours, base.replace("=localhost", "=127.0.0.1"));
    expect(merged?.text).toBe(yours.replace("=localhost", "=127.0.0.1"));
  });

  test("L3: a variable that is there twice leaves the file to a merge by lines", () => {
    expect(merge(`${base}PORT=1\n`, base)).toBeUndefined();
  });
});

describe("compose.yaml", () => {
  const base = `# The server for development.
name: my-app
services:
  postgres:
    image: postgres:17-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_DB: app
    ports:
      - "127.0.0.1:5432:5432"
    healthcheck:
      # Over TCP.
      test: ["CMD", "pg_isready"]
      interval: 2s
volumes:
  postgres:
`;
  const merge = (yours: string, ours: string) => mergeCompose({ base, yours, ours }, labels);

  test("L2: what the user has set stays beside what this version changes right next to it", () => {
    const yours = base.replace("17-alpine", "16").replace("5432:5432", "5433:5432").replace("USER: app", "USER: me");
    const ours = base.replace("DB: app", "DB: sessions").replace("interval: 2s", "interval: 5s\n      retries: 30");
    const merged = merge(yours, ours);
    expect(merged?.text).toBe(
      yours.replace("DB: app", "DB: sessions").replace("interval: 2s", "interval: 5s\n      retries: 30"),
    );
    expect(merged?.notes).toEqual([]);
  });

  test("L2: where both have changed a value, the user's stays and the other is reported", () => {
    const merged = merge(base.replace("17-alpine", "16"), base.replace("17-alpine", "18-alpine"));
    expect(merged?.text).toBe(base.replace("17-alpine", "16"));
    expect(merged?.notes).toEqual([
      "services > postgres > image stays as you have it; create-session-app 0.2.0 has image: postgres:18-alpine.",
    ]);
  });

  test("L2: services, volumes and comments of the user's stay, removed keys stay removed", () => {
    const yours = base
      .replace('    ports:\n      - "127.0.0.1:5432:5432"\n', "")
      .replace("volumes:", "  # Ours.\n  mail:\n    image: axllent/mailpit\nvolumes:\n  mail:");
    const ours = base.replace("127.0.0.1:5432", "localhost:5432").replace("# Over TCP.", "# Over TCP, not the socket.");
    const merged = merge(yours, ours);
    expect(merged?.text).toBe(yours.replace("# Over TCP.", "# Over TCP, not the socket."));
    expect(merged?.notes).toEqual([
      "services > postgres > ports stays removed; create-session-app 0.2.0 has changed it.",
    ]);
  });

  test("L2: a new key is indented as the user indents", () => {
    const yours = base.replaceAll(/^( +)/gm, "$1$1");
    const merged = merge(yours, base.replace("    ports:", "    restart: unless-stopped\n    ports:"));
    expect(merged?.text).toBe(yours.replace("        ports:", "        restart: unless-stopped\n        ports:"));
  });

  test("L2: a block scalar is one value, whatever stands in it", () => {
    const script = "    command:\n      - |\n        set: -e\n        # not a comment\n      - x\n";
    const yours = base.replace("    ports:", `${script}    ports:`);
    expect(merge(yours, base.replace("2s", "3s"))?.text).toBe(yours.replace("2s", "3s"));
  });

  test.each([
    ["a list over several lines", `${base}x-mine: [\n  1\n]\n`],
    ["a key twice", `${base}name: other\n`],
    ["tabs", base.replace("  postgres:", "\tpostgres:")],
    ["a document's start", `---\n${base}`],
    ["nothing", ""],
  ])("L3: what isn't a plain mapping is left to a merge by lines: %s", (_, yours) => {
    expect(merge(yours, base)).toBeUndefined();
  });
});
