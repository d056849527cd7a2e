import { count, shortDigest } from "../format.ts";
import { shortLabelOf } from "../metricSections.ts";
import { Choice, Switch } from "../parts/choice.tsx";
import { useQuery } from "../query.ts";
import { placeKey, type Scope } from "./scope.ts";

/** Epochs that may stand for a run: its last, or its best by one of these. */
const JUDGES = ["val_nll", "accuracy", "nc1", "nll"];

/** What is looked at: grouping, dataset and protocol, epoch, which groups. The address keeps all of it. */
export function ExperimentFilters({ scope }: { readonly scope: Scope }) {
  const [query, change] = useQuery();
  const { by, labels, places, dataset, protocol, epoch, metrics } = scope;
  const judges = JUDGES.filter((name) => metrics.includes(name)).map((name) => `best:${name}`);
  return (
    <>
      <search class="filters">
        <Choice
          label="Group by"
          value={by}
          options={[...new Set(["group", "seed", ...labels, by])]}
          onChange={(value) => change({ by: value === "group" ? null : value, groups: null, a: null, b: null })}
        />
        <Choice
          label="Evaluated on"
          value={placeKey({ dataset, protocol })}
          options={places.map((place) => [
            placeKey(place),
            `${place.dataset}, protocol ${shortDigest(place.protocol)} (${count(place.runs, "run")})`,
          ])}
          onChange={(value) => change({ on: value })}
        />
        <Choice
          label="Epoch of tables"
          value={epoch}
          options={[...new Set(["last", ...judges, epoch])].map((value) => [value, epochLabel(value)])}
          onChange={(value) => change({ epoch: value === "last" ? null : value })}
        />
        <Switch
          label="All metrics in tables"
          on={query.all === "1"}
          onChange={(on) => change({ all: on ? "1" : null })}
        />
        <Switch label="Log scale" on={query.log !== "0"} onChange={(on) => change({ log: on ? null : "0" })} />
        <Switch label="Each seed" on={query.seeds === "1"} onChange={(on) => change({ seeds: on ? "1" : null })} />
      </search>
      <GroupKey scope={scope} />
    </>
  );
}

/** The groups with their colours; each can be taken out of the charts. */
function GroupKey({ scope: { groups, by } }: { readonly scope: Scope }) {
  const [, change] = useQuery();
  const show = (names: readonly string[]) => change({ groups: names.length > 0 ? names.join(",") : null });
  const toggle = (name: string) =>
    show(groups.filter((group) => group.isShown !== (group.name === name)).map((group) => group.name));
  return (
    <fieldset class="group-key">
      <legend>Show by {by}</legend>
      {groups.map(({ name, runs, style, isShown }) => (
        <button key={name} type="button" aria-pressed={isShown} onClick={() => toggle(name)}>
          <svg width="18" height="8" aria-hidden="true">
            <line x1="0" x2="18" y1="4" y2="4" stroke={style.colour} stroke-width="2.5" stroke-dasharray={style.dash} />
          </svg>
          {name} <span class="quiet">n {runs}</span>
        </button>
      ))}
      {groups.some(({ isShown }) => !isShown) && (
        <button type="button" class="plain" onClick={() => show(groups.map(({ name }) => name))}>
          Show all {groups.length}
        </button>
      )}
    </fieldset>
  );
}

function epochLabel(epoch: string): string {
  if (epoch === "last") return "last of each run";
  return epoch.startsWith("best:") ? `best by ${shortLabelOf(epoch.slice(5))}` : `epoch ${epoch}`;
}
