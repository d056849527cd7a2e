/** A metric that a run lacks, and why. */
interface Lack {
  readonly run: string;
  readonly group: string | null;
  readonly metric: string;
  readonly reason: string;
}

/** More names than these are only counted. */
const NAMED = 4;

/** Returns a line for each run and reason, which names the metrics that the run lacks for it. */
export function describeLacks(lacks: readonly Lack[]): string[] {
  const lines = Map.groupBy(lacks, ({ run, reason }) => JSON.stringify([run, reason]));
  return [...lines.values()].map((members) => {
    const { run, group, reason } = members[0]!;
    return `${run} of ${group ?? "(no group)"} has no ${names(members)}: ${reason}`;
  });
}

/** Returns a line for each reason, which `what` begins and which names the metrics that have it. */
export function describeReasons(
  what: string,
  reasons: readonly { readonly metric: string; readonly reason: string | null }[],
): string[] {
  const lines = Map.groupBy(reasons, ({ reason }) => reason);
  return [...lines].flatMap(([reason, members]) => (reason === null ? [] : `${what} ${names(members)}: ${reason}`));
}

function names(members: readonly { readonly metric: string }[]): string {
  const all = [...new Set(members.map(({ metric }) => metric))];
  const rest = all.length - NAMED;
  return rest > 0 ? `${all.slice(0, NAMED).join(", ")} and ${rest} more` : all.join(", ");
}
