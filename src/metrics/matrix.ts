import { CollapsarError } from "../errors.ts";

/** Real numbers, row-major, as engines and files give them. */
export type Reals = Float32Array | Float64Array;

/** A row-major float64 matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Returns a float64 copy of `values` as a matrix of `columns` columns. */
export function toMatrix(values: ArrayLike<number>, columns: number): Matrix {
  return { rows: values.length / columns, columns, values: new Float64Array(values) };
}

/** Returns a matrix of zeros. */
export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) };
}

/** Returns all entries of `matrix` as one row (a view): the Frobenius norm is that row's norm. */
export function flattened({ rows, columns, values }: Matrix): Matrix {
  return { rows: 1, columns: rows * columns, values };
}

/** Returns the inner product of row `i` of `a` with row `j` of `b`. */
export function rowProduct(a: Matrix, i: number, b: Matrix, j: number): number {
  const { columns, values: left } = a;
  const right = b.values;
  const from = i * columns;
  const to = j * columns;
  let sum = 0;
  for (let d = 0; d < columns; d++) sum += left[from + d] * right[to + d];
  return sum;
}

/** Returns `a bᵀ` (rows of `a` × rows of `b`). */
export function productWithTransposed(a: Matrix, b: Matrix): Matrix {
  const product = zeros(a.rows, b.rows);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < b.rows; j++) product.values[i * b.rows + j] = rowProduct(a, i, b, j);
  return product;
}

/** Returns `a b`. */
export function product(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < a.columns; j++) addRow(result, i, a.values[i * a.columns + j], b, j);
  return result;
}

/** Returns the sum of `factor · matrix` over one or more matrices of one shape. */
export function combination(...terms: readonly (readonly [factor: number, matrix: Matrix])[]): Matrix {
  const sum = zeros(terms[0][1].rows, terms[0][1].columns);
  for (const [factor, { values }] of terms) for (let k = 0; k < values.length; k++) sum.values[k] += factor * values[k];
  return sum;
}

/** Returns `aᵀ`. */
export function transposed({ rows, columns, values }: Matrix): Matrix {
  return {
    rows: columns,
    columns: rows,
    values: values.map((_, k) => values[(k % rows) * columns + Math.floor(k / rows)]),
  };
}

/** Adds `factor` times row `j` of `source` to row `i` of `target`. */
export function addRow(target: Matrix, i: number, factor: number, source: Matrix, j: number): void {
  const { columns, values } = target;
  const to = i * columns;
  const from = j * columns;
  for (let d = 0; d < columns; d++) values[to + d] += factor * source.values[from + d];
}

/** Multiplies row `i` of `matrix` by `factor`. */
export function scaleRow({ columns, values }: Matrix, i: number, factor: number): void {
  for (let k = i * columns; k < (i + 1) * columns; k++) values[k] *= factor;
}

/** Returns the Euclidean norm of every row. */
export function rowNorms(matrix: Matrix): Float64Array {
  return Float64Array.from({ length: matrix.rows }, (_, i) => Math.sqrt(rowProduct(matrix, i, matrix, i)));
}

/** Returns the rows of `matrix`, none of them zero, divided by their norms. */
export function unitRows(matrix: Matrix): Matrix {
  const units = zeros(matrix.rows, matrix.columns);
  const norms = rowNorms(matrix);
  for (let i = 0; i < matrix.rows; i++) addRow(units, i, 1 / norms[i], matrix, i);
  return units;
}

/**
 * Carries a gradient through `unitRows`: with `u = v/‖v‖` and `g` the gradient with respect to `u` (a row of `gradient`),
 * returns `(g − (g·u) u) / ‖v‖` for every row `v` of `matrix`.
 */
export function throughUnitRows(gradient: Matrix, matrix: Matrix): Matrix {
  const units = unitRows(matrix);
  const norms = rowNorms(matrix);
  const result = zeros(matrix.rows, matrix.columns);
  for (let i = 0; i < matrix.rows; i++) {
    addRow(result, i, 1 / norms[i], gradient, i);
    addRow(result, i, -rowProduct(gradient, i, units, i) / norms[i], units, i);
  }
  return result;
}

/**
 * Requires that no row is zero, so that each has a direction. `what` names the rows in the message, and `classOf` is the
 * class of each row where it is not the row's index.
 * @throws CollapsarError `zero-denominator` that names `what` and, unless all rows are zero, the first class.
 */
export function requireDirections(matrix: Matrix, what: string, classOf?: ArrayLike<number>): void {
  const norms = rowNorms(matrix);
  const first = norms.indexOf(0);
  if (first < 0) return;
  const which = norms.every((norm) => norm === 0) ? "every class" : `class ${classOf ? classOf[first] : first}`;
  throw new CollapsarError("zero-denominator", `${what} zero for ${which}: a non-zero vector per class was expected`);
}
