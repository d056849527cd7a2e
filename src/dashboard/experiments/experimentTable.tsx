import type { ExperimentList } from "../../api/experimentSchemas.ts";

import { path, withQuery } from "../answers/request.ts";
import { groupStyle } from "../charts/colours.ts";
import { count, formatAgo, formatMean, formatNumber, groupLabel, shortDigest } from "../format.ts";
import { shortLabelOf } from "../metricSections.ts";
import { rangeScale, SpreadMark } from "./spreadMark.tsx";

type Item = ExperimentList["items"][number];
type Group = Item["groups"][number];

/** An experiment with many groups shows these, and how many more there are. */
const MOST_GROUPS = 6;

/** A body of rows for each experiment: its name, then its groups with n and spread. */
export function ExperimentTable({ list }: { readonly list: ExperimentList }) {
  const values = list.items.flatMap(({ groups }) => groups.flatMap((group) => group.values));
  const scale = rangeScale(values);
  return (
    <section class="scroll" aria-label="Experiments">
      <table class="experiments" aria-label="Experiments">
        <thead>
          <tr>
            <th scope="col">Experiment, {list.by}</th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col" class="number">
              Seeds
            </th>
            <th scope="col" class="number">
              n
            </th>
            <th scope="col" class="number">
              {shortLabelOf(list.metric)}
            </th>
            <th scope="col" class="number">
              sd
            </th>
            <th scope="col">Spread</th>
            <th scope="col">Evaluated on</th>
            <th scope="col">Updated</th>
          </tr>
        </thead>
        {list.items.map((item) => (
          <tbody key={item.experiment}>
            <ExperimentRow item={item} by={list.by} />
            {item.groups.slice(0, MOST_GROUPS).map((group, i) => (
              <GroupRows key={group.group} item={item} group={group} index={i} by={list.by} scale={scale} />
            ))}
            {item.groups.length > MOST_GROUPS && (
              <tr class="group-row">
                <th scope="row">
                  <a href={linkOf(item, list.by)}>{count(item.groups.length - MOST_GROUPS, "more group")} …</a>
                </th>
                <td colSpan={8} />
              </tr>
            )}
          </tbody>
        ))}
      </table>
    </section>
  );
}

function ExperimentRow({ item, by }: { readonly item: Item; readonly by: string }) {
  return (
    <tr class="experiment-row">
      <th scope="row">
        <a href={linkOf(item, by)}>{item.experiment ?? "(runs of no experiment)"}</a>
      </th>
      <td class="number">{item.runs}</td>
      <td class="number">{item.seeds}</td>
      <td colSpan={5} />
      <td>
        <time dateTime={item.updatedAt} title={item.updatedAt}>
          {formatAgo(item.updatedAt)}
        </time>
      </td>
    </tr>
  );
}

interface GroupRowsProps {
  readonly item: Item;
  readonly group: Group;
  readonly index: number;
  readonly by: string;
  readonly scale: (value: number) => number;
}

/** A row per dataset and protocol: values of different ones never mix. */
function GroupRows({ item, group, index, by, scale }: GroupRowsProps) {
  const { colour } = groupStyle(index);
  const runs = withQuery("/ui/runs", { experiment: item.experiment, ...(by === "group" && { group: group.group }) });
  const rows = group.values.length > 0 ? group.values : [null];
  return (
    <>
      {rows.map((value, i) => (
        <tr class="group-row" key={value?.protocol}>
          <th scope="row">
            {i === 0 && (
              <a href={runs}>
                <span class="swatch" style={{ background: colour }} />
                {groupLabel(group.group)}
              </a>
            )}
          </th>
          <td class="number">{i === 0 && group.runs}</td>
          <td class="number">{i === 0 && group.seeds}</td>
          <td class="number">{value?.n ?? "–"}</td>
          <td class="number">{value ? formatMean(value.mean, value.ci95?.[0], value.ci95?.[1]) : "–"}</td>
          <td class="number">{formatNumber(value?.sd)}</td>
          <td>{value && <SpreadMark summary={value} colour={colour} scale={scale} />}</td>
          <td>
            {value && (
              <span title={`protocol ${value.protocol}`}>{`${value.dataset} · ${shortDigest(value.protocol)}`}</span>
            )}
          </td>
          <td />
        </tr>
      ))}
    </>
  );
}

function linkOf({ experiment }: Item, by: string): string {
  if (experiment === null) return "/ui/runs";
  return withQuery(path`/ui/experiments/${experiment}`, { by: by === "group" ? null : by });
}
