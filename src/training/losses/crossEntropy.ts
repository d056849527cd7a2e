/** Mean cross-entropy of a batch, and its gradient with respect to the logits (N×C, row-major, float64). */
export interface CrossEntropy {
  readonly value: number;
  readonly gradLogits: Float64Array;
}

/**
 * Returns `−1/N Σ_i ⟨t_i, log softmax(z_i)⟩` of logits z (N×C) and its gradient `(softmax(z_i) − t_i)/N`, in float64 and with
 * the largest logit of a row subtracted, as `torch.nn.functional.cross_entropy`. The target t_i is `e_{y_i}`, or with label
 * smoothing s `(1 − s) e_{y_i} + s/C`.
 */
export function crossEntropy(logits: Float32Array, labels: Int32Array, smoothing = 0): CrossEntropy {
  const count = labels.length;
  const classes = logits.length / count;
  const gradLogits = new Float64Array(logits.length);
  let value = 0;
  for (let i = 0; i < count; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const gradient = gradLogits.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      gradient[c] = Math.exp(row[c]! - largest);
      sum += gradient[c]!;
    }
    const label = labels[i]!;
    const normaliser = Math.log(sum) + largest;
    for (let c = 0; c < classes; c++) {
      const target = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      if (target > 0) value += (target * (normaliser - row[c]!)) / count;
      gradient[c] = (gradient[c]! / sum - target) / count;
    }
  }
  return { value, gradLogits };
}
