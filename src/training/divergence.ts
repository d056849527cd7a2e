import { CollapsarError } from "../errors.ts";
import type { RunFailure, RunFolder } from "./runFolder.ts";

/** What a training ends with whose numbers are no longer finite; the same recipe comes to it again. */
const DIVERGED: ReadonlySet<string> = new Set(["non-finite-loss", "non-finite-weight"]);

/** Calls `record` with code and message where `error` says that the training has diverged. */
export async function whenDiverged(
  error: unknown,
  record: (failure: Pick<RunFailure, "code" | "message">) => Promise<void>,
): Promise<void> {
  if (error instanceof CollapsarError && DIVERGED.has(error.code))
    await record({ code: error.code, message: error.message });
}

/**
 * Returns if the run has not diverged before, by this recipe and this version of the program.
 * @throws CollapsarError with the code of the record, naming where that lies.
 */
export async function rejectKnownFailure(
  folder: RunFolder,
  { recipe, producer }: Pick<RunFailure, "recipe" | "producer">,
): Promise<void> {
  const known = await folder.failure();
  if (known?.recipe !== recipe || known.producer !== producer) return;
  const where = `recorded in ${folder.url}/failure.json: remove it to try again`;
  throw new CollapsarError(known.code, `${known.message} (epoch ${known.epoch}, ${where})`);
}

/**
 * Returns if all weights after `epoch` are finite: a step may ruin weights whose loss was still finite.
 * @throws CollapsarError `non-finite-weight` that names the tensor.
 */
export function requireFiniteWeights(parameters: ReadonlyMap<string, Float32Array>, epoch: number): void {
  for (const [name, values] of parameters)
    if (!values.every(Number.isFinite))
      throw new CollapsarError(
        "non-finite-weight",
        `training has diverged: after epoch ${epoch}, ${name} is not finite`,
      );
}
