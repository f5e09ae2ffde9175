// What a template (*.hbs) may use. An unknown name in a template fails the run.
// Change it to offer another name to templates; project/context.ts fills it in.

export interface TemplateContext {
  /** The package's name. */
  name: string;
  /** The name in letters, digits and "-" only, as Docker wants names. */
  slug: string;
  /** The version of create-session-app. */
  version: string;
  /** True for a project without the example. */
  minimal: boolean;
  /** True where a current Node is a dev dependency of the project. */
  nodePinned: boolean;
  /** True where the project is a member of a workspace, whose root then has the lock file and the settings of the package manager. */
  workspaceMember: boolean;
  framework: {
    id: string;
    label: string;
    hint: string;
    summary: string;
    /**
     * The framework's own part of the README, or an empty string. "npm test" and "npm run x --" in it are replaced by what the
     * package manager of the project calls them.
     */
    section: string;
  };
  backend: {
    id: string;
    label: string;
    hint: string;
    summary: string;
    /** The server that must run ("PostgreSQL 14 or newer"), and the command that starts it. */
    server: { name: string; start: string } | null;
    environment: { name: string; value: string; comment: string; optional: boolean }[];
    /** True where the app doesn't start before .env exists. */
    needsSettings: boolean;
    /** True where the schema is a file of SQL: schema.sql. */
    hasSqlSchema: boolean;
    /** True where no other process, such as the shell's tool, can see the sessions. */
    inProcess: boolean;
    /** The backend's own part of the README, like the framework's. */
    section: string;
  };
  /** The store that the project had before, whose driver stays while sessions are moved; null for every other project. */
  previous: { label: string } | null;
  /** The package manager. */
  pm: {
    id: string;
    /** "npm install" */
    install: string;
    /** "npm test" */
    test: string;
    /** What goes before a script's name: "npm run", "yarn". */
    run: string;
    /** What goes between a script's name and its arguments: " --" for npm, nothing for the others. */
    args: string;
    /** Runs a program of the project: "npx", "pnpm exec". */
    exec: string;
    /** The lock file's name: "package-lock.json". */
    lockFile: string;
    /** The files, separated by spaces, that an installation reads: package.json, the lock file, the package manager's settings. */
    installFiles: string;
    /** Installs exactly what the lock file names, without dev dependencies, in an image that has Node and npm. */
    frozenInstall: string;
    /** Installs without a lock file and without dev dependencies, in an image that has Node and npm. */
    unlockedInstall: string;
  };
}
