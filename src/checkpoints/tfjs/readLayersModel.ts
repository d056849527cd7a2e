import { z } from "zod";
import { CollapsarError } from "../../errors.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { parseJson } from "./json.ts";
import { malformed } from "./malformed.ts";
import { list, readManifest } from "./manifest.ts";
import { cutTensors } from "./weights.ts";

/** A `model.json` of TensorFlow.js: which weights files it names, and how to read them. */
export interface LayersModelFile {
  /** Relative to `model.json`, in the order of the manifest. */
  readonly paths: readonly string[];
  /**
   * Returns the checkpoint made of the bytes of those files, in that order.
   * @throws CollapsarError `malformed-checkpoint` where there are too few bytes, or too many.
   */
  read(shards: readonly Uint8Array[]): Checkpoint;
}

/** Returns whether the bytes may be the `model.json` of a TensorFlow.js layers model: JSON text that begins an object. */
export function looksLikeLayersModel(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 64);
  // a safetensors file may start with "{" too, the lowest byte of its header's length; zeros follow
  return !start.includes(0) && /^\s*\{\s*["}]/.test(new TextDecoder().decode(start));
}

const modelFile = z.object({
  format: z.string().optional(),
  modelTopology: z.custom<object>((value) => typeof value === "object" && value !== null, "expected an object"),
  weightsManifest: list,
  userDefinedMetadata: z.unknown().optional(),
});

/**
 * Returns the weights files that a `model.json` of TensorFlow.js names, and how to read them. Tensors keep their names
 * there (`conv2d_1/kernel`); what `userDefinedMetadata` holds becomes metadata.
 * Source: https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-core/src/io/types.ts
 * @throws CollapsarError `malformed-checkpoint` that names what is wrong; `unsupported-network` for a graph model.
 */
export function openLayersModel(json: Uint8Array): LayersModelFile {
  const { modelTopology: topology, weightsManifest, userDefinedMetadata } = parseModel(json);
  const groups = readManifest(weightsManifest);
  const paths = groups.flatMap((group) => group.paths);
  return {
    paths,
    read(shards) {
      if (shards.length !== paths.length) throw malformed(`${shards.length} weights files, expected ${paths.length}`);
      let first = 0;
      const tensors = groups.flatMap((group) => {
        const own = shards.slice(first, first + group.paths.length);
        first += own.length;
        return cutTensors(group, own);
      });
      const metadata = metadataOf(userDefinedMetadata);
      return { tensors: new Map(tensors), metadata, definition: { format: "tfjs-layers", topology } };
    },
  };
}

function parseModel(json: Uint8Array): z.infer<typeof modelFile> {
  const value = parseJson(json);
  const format = z.object({ format: z.string() }).safeParse(value).data?.format ?? "layers-model";
  if (format === "graph-model")
    throw new CollapsarError(
      "unsupported-network",
      "a TensorFlow.js graph model cannot be read: save it as a layers model (tfjs_layers_model), or export it as ONNX",
    );
  if (format !== "layers-model")
    throw malformed(`its format is ${JSON.stringify(format.slice(0, 64))}, expected "layers-model"`);
  const parsed = modelFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw malformed(`${issue.path.join(".") || "the file"}: ${issue.message}`);
}

/** The strings, numbers and booleans among the user's metadata, as strings; what else is there describes no run of ours. */
function metadataOf(metadata: unknown): Record<string, string> {
  const entries = typeof metadata === "object" && metadata !== null ? Object.entries(metadata) : [];
  const plain = entries.filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(plain.map(([key, value]) => [key, String(value)]));
}
