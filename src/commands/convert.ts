import { Command, Option } from "commander";
import type { Checkpoint } from "../checkpoints/checkpoint.ts";
import { fetchCheckpoint } from "../checkpoints/fetch.ts";
import { writeSafetensors } from "../checkpoints/safetensors.ts";
import { toUrl } from "../config.ts";
import { toOnnx } from "../engines/onnx/toOnnx.ts";
import { CollapsarError } from "../errors.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import type { NetworkSpec } from "../networks/spec.ts";
import { specMetadata } from "../networks/spec.ts";
import { openStorage } from "../storage/open.ts";
import { CHECKPOINT_HELP, networkOption } from "./options.ts";
import { jsonOption, print } from "./output.ts";

interface Options {
  readonly to: "onnx" | "safetensors";
  readonly out: string;
  readonly input: "pixels" | "normalised";
  readonly network: Record<string, string>;
  readonly json?: boolean;
}

/** Returns the command `convert`: a checkpoint in another format. */
export function convertCommand(): Command {
  return new Command("convert")
    .description("Write a checkpoint in another format, with all that is known of its network.")
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .addOption(new Option("--to <format>", "what to write").choices(["onnx", "safetensors"]).makeOptionMandatory())
    .requiredOption("--out <file>", "where to write: path or URL")
    .addOption(
      new Option(
        "--input <kind>",
        "what the ONNX graph takes: N×C×H×W float32, or N×H×W×C uint8 that it normalises itself",
      )
        .choices(["normalised", "pixels"])
        .default("normalised"),
    )
    .addOption(networkOption())
    .addOption(jsonOption())
    .action(async (checkpoint: string, options: Options) => {
      const written = await convert(checkpoint, options);
      print(written, options.json, ({ out, bytes }) => `${bytes} bytes → ${out}`);
    });
}

async function convert(url: string, { to, out, input, network: overrides }: Options) {
  const storage = openStorage({ fileRoots: null });
  const { checkpoint } = await fetchCheckpoint(storage, toUrl(url));
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
