import { InvalidArgumentError, Option } from "commander";
import { DEVICE_NAMES, ENGINE_NAMES } from "../engines/engine.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { NETWORK_KEYS } from "../networks/family.ts";

/** What a command takes as a checkpoint. */
export const CHECKPOINT_HELP =
  "path or URL (s3://, file://) of a checkpoint: safetensors, a state_dict by torch.save, ONNX, TF.js model.json";

/** `--engine NAME`. */
export const engineOption = () =>
  new Option(
    "--engine <name>",
    "what the network runs on (default: TensorFlow where it has a GPU, else onnxruntime)",
  ).choices(ENGINE_NAMES);

/** `--device NAME`. */
export const deviceOption = () =>
  new Option("--device <name>", "where the engine runs (default: its GPU build's GPU, else cpu)").choices(DEVICE_NAMES);

/** `--network KEY=VALUE`, repeatable, collected into a record. */
export const networkOption = () =>
  new Option(
    "--network <key=value>",
    `says or overrides what the checkpoint tells of its network: ${NETWORK_KEYS.join(", ")} (repeatable)`,
  )
    .default({}, "none")
    .argParser((text: string, before: Record<string, string>) => {
      const at = text.indexOf("=");
      const key = text.slice(0, at);
      if (at < 1 || !NETWORK_KEYS.includes(key))
        throw new InvalidArgumentError(`expected KEY=VALUE with KEY one of ${NETWORK_KEYS.join(", ")}.`);
      return { ...before, [key]: text.slice(at + 1) };
    });

/** `--ood SET`, repeatable; `near=cifar100` is the set `cifar100` in the group `near`. */
export const oodOption = () =>
  new Option(
    "--ood <name>",
    "out-of-distribution set, repeatable: a name (its test part), a path or URL; GROUP=NAME also averages over the group",
  )
    .default([], "none")
    .argParser((text: string, before: OodSets): OodSets => {
      const [, group, set] = /^([a-z0-9-]+)=(.+)$/s.exec(text) ?? [];
      return [...before, group !== undefined && set !== undefined ? { set, group } : text];
    });

/** What `--ood` collects. */
export type OodSets = NonNullable<EvaluationRequest["ood"]>;

/** `--jitter X`. */
export const jitterOption = () =>
  new Option(
    "--jitter <x>",
    "added to the covariances of gmm and mahalanobis, absolute (default: the least that is needed)",
  ).argParser((text: string) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0)
      throw new InvalidArgumentError("expected a number from 0.");
    return value;
  });

/** Returns the parser of an option that takes a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""}.`,
      );
    return value;
  };
}
