import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import manifest from "./package.json" with { type: "json" };

/** Where the source of a published entry is: "./dist/nn/index.js" comes from "./src/nn/index.ts". */
const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string"
    ? []
    : [
        {
          find: new RegExp(`^espalier${subpath.slice(1)}$`),
          replacement: fileURLToPath(
            new URL(target.default.replace("./dist/", "./src/").replace(/js$/, "ts"), import.meta.url),
          ),
        },
      ],
);

/** Tests that replace a module. */
const mocking = ["src/cli/model/grow-refusal.test.ts"];

export default defineConfig({
  // Examples say what a user says; here it means the sources.
  resolve: { alias: entries },
  ssr: { resolve: { conditions: ["espalier-source", "node", "import", "module", "default"] } },
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    projects: [
      // The library has no global state, so files may share a worker: half of the time of short ones was importing it.
      {
        extends: true,
        test: {
          name: "shared",
          isolate: false,
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...mocking],
        },
      },
      { extends: true, test: { name: "mocking", include: mocking } },
    ],
  },
});
