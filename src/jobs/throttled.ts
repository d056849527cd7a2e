const REPORT_MILLISECONDS = 500;

/** Returns a function that passes a value on to `report` unless it did so less than REPORT_MILLISECONDS ago. */
export function throttled<T>(report: (value: T) => void): (value: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = performance.now();
    if (now - last < REPORT_MILLISECONDS) return;
    last = now;
    report(value);
  };
}
