#!/usr/bin/env node
// Starts the command line: TypeScript in a clone, JavaScript in the published package, and the Node.js that comes with
// the clone where the machine's own is too old. Plain JavaScript that any Node.js since 18 can read.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  await import("./startup.js");
  const source = existsSync(file("../src/main.ts")) ? "../src/main.ts" : "../dist/main.js";
  const { main } = await import(source);
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(file("../node_modules/node/bin/node"))) {
  const { status, signal } = spawnSync(file("../node_modules/node/bin/node"), process.argv.slice(1), {
    stdio: "inherit",
  });
  if (signal) process.kill(process.pid, signal);
  process.exitCode = status ?? 1;
} else {
  console.error(`collapsar: needs Node.js 22.18 or newer, this is ${process.versions.node}`);
  process.exitCode = 1;
}
