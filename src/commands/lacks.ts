/** A metric that a run lacks, and why. */
interface Lack {
  readonly run: string;
  readonly group: string | null;
  readonly metric: string;
  readonly reason: string;
}

/** More names than these are only counted. */
const NAMED = 4;

/** Returns a line for each reason and the metrics that are lacking for it, which names the runs that lack them. */
export function describeLacks(lacks: readonly Lack[]): string[] {
  const ofRuns = Map.groupBy(lacks, ({ run, reason }) => JSON.stringify([run, reason]));
  const lines = Map.groupBy(ofRuns.values(), (members) => JSON.stringify([members[0]!.reason, metricsOf(members)]));
  return [...lines.values()].map((runs) => {
    const who = runs.map(([first]) => `${first!.run} of ${first!.group ?? "(no group)"}`);
    const [members] = runs as [Lack[]];
    return `${listed(who)} ${who.length > 1 ? "have" : "has"} no ${listed(metricsOf(members))}: ${members[0]!.reason}`;
  });
}

/** Returns a line for each reason, which `what` begins and which names the metrics that have it. */
export function describeReasons(
  what: string,
  reasons: readonly { readonly metric: string; readonly reason: string | null }[],
): string[] {
  const lines = Map.groupBy(reasons, ({ reason }) => reason);
  return [...lines].flatMap(([reason, members]) =>
    reason === null ? [] : `${what} ${listed(metricsOf(members))}: ${reason}`,
  );
}

function metricsOf(members: readonly { readonly metric: string }[]): string[] {
  return [...new Set(members.map(({ metric }) => metric))];
}

function listed(all: readonly string[]): string {
  const rest = all.length - NAMED;
  return rest > 0 ? `${all.slice(0, NAMED).join(", ")} and ${rest} more` : all.join(", ");
}
