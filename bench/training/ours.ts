/**
 * Trains our own way: `node bench/training/ours.ts CASE ENGINE STEPS`. Prints JSON: images per second, and the losses of the
 * first steps, which are before the clock.
 */
import { lossOf } from "../../src/training/losses/loss.ts";
import { createTrainer, type TrainingEngine } from "../../src/training/step/trainer.ts";
import { CASES, CLASSES, graphOf, readStart, SGD, startOf } from "./cases.ts";

const WARM_UP = 3;
const [name, engine, steps] = process.argv.slice(2);
const of = CASES.find((candidate) => candidate.name === name)!;
const { tensors } = readStart(startOf(of));
const graph = graphOf(of);
const { learningRate, ...momentum } = SGD;
const trainer = await createTrainer({
  graph,
  parameters: new Map(graph.parameters.map(({ name }) => [name, tensors.get(`initial.${name}`)!.data as Float32Array])),
  loss: lossOf("ce", CLASSES),
  engine: engine as TrainingEngine,
  ...momentum,
});
const images = tensors.get("images")!.data as Float32Array;
const labels = tensors.get("labels")!.data as Int32Array;
const losses: number[] = [];
for (let step = 0; step < WARM_UP; step++) losses.push((await trainer.step(images, labels, learningRate)).loss);
const begun = performance.now();
for (let step = 0; step < Number(steps); step++) await trainer.step(images, labels, learningRate);
const imagesPerSecond = (1000 * Number(steps) * of.batch) / (performance.now() - begun);
console.log(JSON.stringify({ imagesPerSecond, losses }));
