import type { EvaluationResource } from "../../api/contract.ts";
import { path } from "../answers/request.ts";
import { formatBytes, formatSeconds, shortDigest } from "../format.ts";
import { Facts } from "../parts/facts.tsx";

/** Where the numbers of an evaluation come from, so that another can make them again. */
export function Provenance({ evaluation }: { readonly evaluation: EvaluationResource }) {
  const { id, checkpoint, run, epoch, dataset, protocol, protocolParts, seconds } = evaluation;
  const { createdAt, startedAt, finishedAt } = evaluation;
  const lasted = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : null;
  return (
    <>
      <Facts
        facts={{
          checkpoint: <span class="mono">{checkpoint.url}</span>,
          bytes: formatBytes(checkpoint.size),
          "SHA-256": checkpoint.sha256 && <span class="mono">{checkpoint.sha256}</span>,
          run: run !== null && <a href={path`/ui/runs/${run}`}>{run}</a>,
          epoch: epoch === null ? null : String(epoch),
          dataset,
          protocol: protocol && (
            <span class="mono" title={protocol}>
              {shortDigest(protocol)}
            </span>
          ),
          submitted: createdAt,
          took: lasted === null ? null : formatSeconds(lasted),
          evaluation: <span class="mono">{id}</span>,
        }}
      />
      {protocolParts && (
        <details>
          <summary>Protocol and times</summary>
          <pre class="mono">{JSON.stringify(protocolParts, null, 2)}</pre>
          {seconds && (
            <Facts facts={Object.fromEntries(Object.entries(seconds).map(([step, s]) => [step, formatSeconds(s)]))} />
          )}
        </details>
      )}
    </>
  );
}
