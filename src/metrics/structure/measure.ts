/** Why a measure has no value, such as a zero denominator. */
export interface Omitted {
  readonly reason: string;
}

/** A measure: its value, or why it has none. */
export type Measure = number | Omitted;

/** Returns the reason of a measure that needs a direction where `what` is zero for a class. */
export function zeroVector(what: string, zeroClass: number): Omitted {
  return { reason: `${what} is zero for class ${zeroClass}: a non-zero vector per class was expected` };
}

/** Measures by API name: the values, and for each that has none the reason. */
export interface Measures {
  readonly values: Readonly<Record<string, number>>;
  readonly omitted: Readonly<Record<string, string>>;
}

/** Returns the measures by whether they have a value, each part in the order given. */
export function sortMeasures(measures: Readonly<Record<string, Measure>>): Measures {
  const values: Record<string, number> = {};
  const omitted: Record<string, string> = {};
  for (const [name, measure] of Object.entries(measures))
    if (typeof measure === "number") values[name] = measure;
    else omitted[name] = measure.reason;
  return { values, omitted };
}
