import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What is large enough for compression to save a packet. */
const WORTH_COMPRESSING_BYTES = 1024;

/** Puts `.br` and `.gz` beside each file, so that the service compresses nothing while it answers. */
function precompressed(): Plugin {
  return {
    name: "precompressed",
    apply: "build",
    // not before: until they are written, Vite still changes its chunks
    writeBundle({ dir }, bundle) {
      for (const file of Object.keys(bundle).map((name) => join(dir!, name))) {
        const source = readFileSync(file);
        if (source.length < WORTH_COMPRESSING_BYTES) continue;
        writeFileSync(`${file}.br`, brotliCompressSync(source));
        writeFileSync(`${file}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}

/** `vite build src/dashboard` writes what the service serves; `vite src/dashboard` shows changes at once, beside a service. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../dist/dashboard",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the service allows no data: but for images
    modulePreload: { polyfill: false }, // it would be a script within the page
  },
  server: {
    proxy: { "^/(evaluate|evaluations|experiments|runs|aggregate|compare|correlations)\\b": "http://127.0.0.1:8080" },
  },
  plugins: [precompressed()],
});
