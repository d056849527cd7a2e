import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: process.env.CI ? ["default", "./test/closingLine.ts"] : ["default"],
    // a machine of two cores would else have one: much of the suite waits for other processes
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: "v8",
      include: ["src/metrics/**/*.ts"],
      reporter: ["text"],
      thresholds: { lines: 95, branches: 90, functions: 95 },
    },
  },
});
