import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";

/** tfjs-node's own definition of its build (binding.gyp) says the same; the newest N-API it knows is 8. */
const FLAGS = ["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8"];

/**
 * Compiles tfjs-node's two C++ files against the TensorFlow in its deps/, to where the package looks for them. Libraries
 * are found relative to the result, so that the clone may be moved. @throws CollapsarError `missing-engine`.
 */
export function compileBinding(folder: string, nodeHeaders: string): void {
  const target = join(folder, "lib/napi-v8/tfjs_binding.node");
  const source = join(folder, "binding");
  mkdirSync(join(folder, "lib/napi-v8"), { recursive: true });
  run("g++", [
    ...FLAGS,
    ...[nodeHeaders, join(folder, "deps/include"), folder].map((include) => `-I${include}`),
    ...readdirSync(source)
      .filter((name) => name.endsWith(".cc"))
      .map((name) => join(source, name)),
    ...["cc", "framework"].map((name) => join(folder, `deps/lib/libtensorflow_${name}.so.2`)),
    "-Wl,-rpath,$ORIGIN/../../deps/lib",
    ...["-o", `${target}.part`],
  ]);
  renameSync(`${target}.part`, target);
}
