import { defineConfig } from "vitest/config";

export default defineConfig({
  // Examples say what a user says; here it means the sources.
  resolve: {
    alias: [{ find: /^espalier$/, replacement: new URL("./src/index.ts", import.meta.url).pathname }],
  },
  ssr: { resolve: { conditions: ["espalier-source", "node", "import", "module", "default"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
  },
});
