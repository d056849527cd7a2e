import { readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { createClient, DetailedError, evaluate, parseResponse } from "../../src/client/client.ts";
import { readConfig } from "../../src/config.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";

let folder: string;
let service: RunningService;

beforeAll(async () => {
  folder = await emptyFolder();
  await writeFile(join(folder, "tiny.safetensors"), checkpointBytes());
  service = await serve(readConfig({ COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0" }));
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

describe("collapsar/client", () => {
  it("submits to a service, waits for the end and reads the metrics", async () => {
    const client = createClient(service.url);
    const evaluation = await evaluate(client, {
      checkpoint: fileUrl(folder, "tiny.safetensors"),
      dataset: "digits:test",
      run: { id: "typed", experiment: "client", group: "ce", seed: 3, epoch: 7 },
    });
    expect(evaluation).toMatchObject({ status: "succeeded", run: "typed", epoch: 7, error: null });
    const { metrics } = await parseResponse(client.runs[":id"].metrics.$get({ param: { id: "typed" }, query: {} }));
    expect(metrics.map(({ epoch, values }) => [epoch, values])).toEqual([[7, evaluation.values]]);
    const { rows } = await parseResponse(client.aggregate.$get({ query: { experiment: "client", metrics: "nc1" } }));
    expect(rows[0]).toMatchObject({ group: "ce", n: 1, mean: evaluation.values.nc1 });
  });

  it("throws what the service says is wrong", async () => {
    const client = createClient(service.url);
    const asked = evaluate(client, { checkpoint: fileUrl(folder, "absent.safetensors"), dataset: "digits" });
    await expect(asked).rejects.toBeInstanceOf(DetailedError);
    await expect(asked).rejects.toMatchObject({ statusCode: 422, detail: { data: { code: "object-not-found" } } });
  });

  it("shows its token", async () => {
    const shown: (string | null)[] = [];
    const fetch = async (...[, init]: Parameters<typeof globalThis.fetch>) => {
      shown.push(new Headers(init?.headers).get("authorization"));
      return Response.json({ items: [], next: null });
    };
    await parseResponse(createClient("http://service", { token: "clp_1", fetch }).runs.$get({ query: {} }));
    expect(shown).toEqual(["Bearer clp_1"]);
  });

  it("knows every route of the service", () => {
    const source = fileURLToPath(new URL("../../src", import.meta.url));
    const known = readFileSync(join(source, "client/routes.ts"), "utf8");
    const wrong = readdirSync(join(source, "api")).filter((file) => {
      const routes = readFileSync(join(source, "api", file), "utf8").match(/^.*= createRoute\(/gm) ?? [];
      const listed = known.includes(`"../api/${file}"`);
      return routes.length > 0 && !(listed && routes.every((line) => line.startsWith("export const ")));
    });
    expect(wrong, "these export their routes, and src/client/routes.ts names them").toEqual([]);
  });
});
