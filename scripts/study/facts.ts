import { describeMachine } from "../../bench/machine.ts";
import { openEngine } from "../../src/engines/open.ts";
import { VERSION } from "../../src/version.ts";
import type { StudyPlan } from "./plan.ts";
import type { Studied } from "./run.ts";
import type { StageSeconds } from "./stageTimes.ts";

/** How the records came to be: what the report says besides them. */
export interface StudyFacts {
  readonly command: string;
  readonly versions: {
    readonly collapsar: string;
    readonly node: string;
    readonly training: string;
    readonly evaluation: string;
  };
  readonly machine: { readonly cpu: string; readonly threads: number; readonly memoryGiB: number };
  /** How the groups were trained, and the run on all images. */
  readonly training: TrainingFacts;
  readonly learningRates: StudyPlan["learningRates"];
  readonly full: TrainingFacts | null;
  /** Images of the parts that the groups were trained and evaluated on. */
  readonly images: { readonly measured: number; readonly validation: number; readonly test: number };
  readonly checkpoints: number;
  readonly seconds: StageSeconds;
  /** Why runs ended early, by run. */
  readonly failed: Readonly<Record<string, string>>;
}

type TrainingFacts = Pick<StudyPlan["preset"], (typeof SHOWN)[number]>;

/** What of a recipe the report tells; the preset files have all of it. */
const SHOWN = ["width", "epochs", "imagesPerEpoch", "batchSize", "learningRate", "schedule", "sampling"] as const;

const CLASSES = 10;

/** Returns the facts of a study that was made on this machine. */
export async function factsOf(plan: StudyPlan, { checkpoints, seconds, failed }: Studied): Promise<StudyFacts> {
  const { load: _, ...machine } = describeMachine();
  const [training, evaluation] = await Promise.all([openEngine({ engine: plan.engine }), openEngine()]);
  const { measured, validation, test } = plan.perClass;
  return {
    command: "npm run study",
    versions: {
      collapsar: VERSION,
      node: process.version,
      training: `${training.name} ${training.version}`,
      evaluation: `${evaluation.name} ${evaluation.version}`,
    },
    machine,
    training: shownOf(plan.preset),
    learningRates: plan.learningRates,
    full: plan.full && shownOf(plan.full),
    images: { measured: CLASSES * measured, validation: CLASSES * validation, test: CLASSES * test },
    checkpoints,
    seconds,
    failed: Object.fromEntries(failed.map(({ run, error }) => [run, error!.message])),
  };
}

function shownOf(preset: StudyPlan["preset"]): TrainingFacts {
  return Object.fromEntries(SHOWN.map((key) => [key, preset[key]])) as TrainingFacts;
}
