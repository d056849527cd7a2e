/**
 * `node scripts/kernels.ts`: compiles src/metrics/wasm/kernels.wat into the module beside it. It need be run only when that text
 * changes; a test holds that the two agree.
 */
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const FOLDER = new URL("../src/metrics/wasm/", import.meta.url);

/** Returns the bytes of the WebAssembly text. */
export async function compileKernels(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const text = readFileSync(new URL("kernels.wat", FOLDER), "utf8");
  return parseWat("kernels.wat", text, { simd: true }).toBinary({}).buffer;
}

if (import.meta.main) {
  const bytes = await compileKernels();
  writeFileSync(
    new URL("binary.ts", FOLDER),
    `/** kernels.wat as compiled by scripts/kernels.ts, base64; not to be edited. */
export const KERNELS_BASE64 =
  "${Buffer.from(bytes).toString("base64")}";
`,
  );
}
