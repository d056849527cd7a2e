import { SIZE } from "../../test/dashboard/fill.ts";

const { name } = SIZE.study;
const metrics = "nc1,nc2_equinorm_means,nc2_equinorm_classifiers,nc2_equiangular_means,nc2_equiangular_classifiers,nc3";
const place = `experiment=${name}&dataset=cifar10`;

/** What the views ask of the API, by what a person did. */
export const QUESTIONS: Readonly<Record<string, string>> = {
  "experiments, first page": "/experiments",
  "experiments, searched": "/experiments?q=mixup",
  "experiments, by a label": "/experiments?by=loss&sort=name&metric=accuracy",
  "experiment of 90 runs": `/experiments/${name}`,
  "experiment of 255 runs": "/experiments/cifar10-sweep-05?by=arch",
  "trajectories of a metric, 350 epochs": `/experiments/${name}/trajectories?metrics=nc1&dataset=cifar10`,
  "the same with its seeds": `/experiments/${name}/trajectories?metrics=nc1&dataset=cifar10&seeds=true`,
  "table of groups": `/aggregate?${place}&by=group&epoch=last&metrics=${metrics}`,
  "tests between groups": `/compare?${place}&by=group&a=ce&b=nc&metrics=${metrics}`,
  correlation: `/correlations?${place}&by=group&x=nc1&y=auroc:svhn:gmm`,
  "runs, first page": "/runs",
  "runs, searched": "/runs?q=seed07",
  run: `/runs/${name}-ce-seed01`,
  "metrics of a run, 350 epochs": `/runs/${name}-ce-seed01/metrics`,
  "evaluations that failed": "/evaluations?status=failed&limit=25",
  "evaluations done last": "/evaluations?status=succeeded&limit=10",
  "evaluations of an experiment": `/evaluations?experiment=${name}&status=succeeded&limit=10`,
  "evaluations of a small experiment": "/evaluations?experiment=cifar10-sweep-01&status=succeeded&limit=10",
  "evaluations of a dataset": "/evaluations?dataset=svhn&status=succeeded&limit=10",
};
