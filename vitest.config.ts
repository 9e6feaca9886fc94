import { defineConfig } from "vitest/config";

export default defineConfig({
  ssr: { resolve: { conditions: ["espalier-source", "node", "import", "module", "default"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
  },
});
