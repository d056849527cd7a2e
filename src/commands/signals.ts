/** Returns the first of SIGINT and SIGTERM; a second one then ends the process as it would by default. */
export function untilToldToStop(): Promise<NodeJS.Signals> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      resolve(signal);
      // not at once: signal-exit, which restores the terminal, ends a process that nobody but itself listens for
      setImmediate(() => {
        for (const name of signals) process.off(name, stop);
      });
    };
    for (const name of signals) process.on(name, stop);
  });
}
