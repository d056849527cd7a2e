import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: process.env.CI ? ["default", "./test/closingLine.ts"] : ["default"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: "v8",
      include: ["src/metrics/**"],
      reporter: ["text"],
      thresholds: { lines: 95, branches: 90, functions: 95 },
    },
  },
});
