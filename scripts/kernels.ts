/**
 * `node scripts/kernels.ts`: compiles src/metrics/wasm/kernels.as into the module beside it. It need be run only when that text
 * changes; a test holds that the two agree.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { main } from "assemblyscript/asc";

const FOLDER = new URL("../src/metrics/wasm/", import.meta.url);
const SHARED = ["--importMemory", "--sharedMemory", "--maximumMemory", "65536", "--enable", "threads"];
const OPTIONS = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", ...SHARED];

/** Returns the bytes of the compiled kernels. @throws Error with what the compiler says, where they are not correct. */
export async function compileKernels(): Promise<Uint8Array> {
  const text = readFileSync(new URL("kernels.as", FOLDER), "utf8");
  let bytes = new Uint8Array();
  const { error, stderr } = await main(["kernels.ts", "--outFile", "kernels.wasm", ...OPTIONS], {
    readFile: (name) => (name === "kernels.ts" ? text : null),
    writeFile: (name, contents) => {
      if (name === "kernels.wasm") bytes = Uint8Array.from(contents as Uint8Array);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(stderr.toString());
  return bytes;
}

if (import.meta.main) {
  const bytes = await compileKernels();
  writeFileSync(
    new URL("binary.ts", FOLDER),
    `/** kernels.as as compiled by scripts/kernels.ts, base64; not to be edited. */
export const KERNELS_BASE64 =
  "${Buffer.from(bytes).toString("base64")}";
`,
  );
}
