const REDRAW_MILLISECONDS = 100;

/** A line on standard error that is drawn again as work goes on. */
export interface ProgressLine {
  update(stage: string, done: number, total: number): void;
  /** Clears the line. */
  end(): void;
}

/**
 * Returns a line that tells how much of a stage is done, how fast and for how long still; a silent one where standard
 * error is no terminal or a program reads the output.
 */
export function progressLine(silent = false): ProgressLine {
  const { stderr } = process;
  if (silent || !stderr.isTTY) return { update: () => {}, end: () => {} };
  let current = { stage: "", started: 0 };
  let drawn = 0;
  return {
    update(stage, done, total) {
      const now = performance.now();
      if (stage !== current.stage) current = { stage, started: now };
      if (now - drawn < REDRAW_MILLISECONDS) return;
      drawn = now;
      const perSecond = (done / (now - current.started)) * 1000;
      const rest =
        Number.isFinite(perSecond) && perSecond > 0 ? `, ${Math.ceil((total - done) / perSecond)} s left` : "";
      stderr.write(`\r\x1b[K${stage} ${done}/${total}${rest}`);
    },
    end: () => void stderr.write("\r\x1b[K"),
  };
}
