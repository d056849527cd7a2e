import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { fetchCheckpoint } from "../../checkpoints/fetch.ts";
import { writeSafetensors } from "../../checkpoints/safetensors.ts";
import { toUrl } from "../../config.ts";
import { toOnnx } from "../../engines/onnx/toOnnx.ts";
import { CollapsarError } from "../../errors.ts";
import { networkOf } from "../../networks/fromCheckpoint.ts";
import type { NetworkSpec } from "../../networks/spec.ts";
import { specMetadata } from "../../networks/spec.ts";
import { openStorage } from "../../storage/open.ts";
import type { ConvertOptions } from "../convert.ts";
import { print } from "../output.ts";
import { progressLine } from "../progressLine.ts";

/**
 * Writes the checkpoint in another format, and prints where it is.
 * @throws CollapsarError `unsupported-network` where the network would be lost.
 */
export async function convert(checkpoint: string, options: ConvertOptions): Promise<void> {
  const written = await write(checkpoint, options);
  print(
    written,
    options,
    ({ out, bytes }) => `${bytes} bytes → ${out}`,
    ({ out }) => out,
  );
}

async function write(url: string, { to, out, input, network: overrides, json, quiet }: ConvertOptions) {
  const storage = openStorage({ fileRoots: null });
  const progress = progressLine({ json, quiet });
  const { checkpoint } = await fetchCheckpoint(storage, toUrl(url), {
    onProgress: (done, total) => progress.update("download", done, total, "bytes"),
  }).finally(progress.end);
  const { network, spec } = networkOf(checkpoint, overrides);
  if (network.kind === "onnx")
    throw new CollapsarError("unsupported-network", "the checkpoint is an ONNX file, which is not converted further");
  const { normalisation } = network.graph;
  const pixels = normalisation && { mean: normalisation.mean.join(","), std: normalisation.std.join(",") };
  const metadata = { ...checkpoint.metadata, ...(spec ? specMetadata(spec) : pixels) };
  const size = network.graph.size ?? { height: null, width: null };
  const bytes =
    to === "onnx" ? toOnnx(network, { kind: input, ...size }, { metadata }) : stateDict(checkpoint, spec, metadata);
  const head = await storage.write(toUrl(out), bytes);
  return { out: head.url, bytes: bytes.length };
}

/** The tensors as they are stored, so that nothing is lost that training would go on from. */
function stateDict({ tensors }: Checkpoint, spec: NetworkSpec | null, metadata: Record<string, string>): Uint8Array {
  if (!spec)
    throw new CollapsarError(
      "unsupported-network",
      "the checkpoint defines a network of its own, which names and shapes of tensors cannot: expected --to onnx",
    );
  return writeSafetensors(
    [...tensors].map(([name, tensor]) => [name.replace(/^module\./, ""), tensor] as const),
    metadata,
  );
}
