/**
 * Returns the body of `POST /evaluate` that a form asks for: names with a point are parts of an object, what is empty is left out.
 */
export function bodyOf(form: FormData): Record<string, unknown> {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const number = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  const given = (entries: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined && value !== ""));
  const checkpoints = text("checkpoint").split(/\s+/).filter(Boolean);
  const ood = text("ood")
    .split(/[\s,]+/)
    .filter(Boolean);
  const run = given({
    ...{ id: text("run.id"), experiment: text("run.experiment"), group: text("run.group") },
    ...{ seed: number("run.seed"), epoch: number("run.epoch") },
  });
  return given({
    checkpoint: checkpoints.length === 1 ? checkpoints[0] : checkpoints,
    ...{ dataset: text("dataset"), test: text("test"), validation: text("validation") },
    ood: ood.length > 0 ? ood : undefined,
    run: Object.keys(run).length > 0 ? run : undefined,
    priority: number("priority"),
    force: form.get("force") === null ? undefined : true,
  });
}
