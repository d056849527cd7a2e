import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { checkpointVersion, fetchCheckpoint } from "../../src/checkpoints/fetch.ts";
import { fileStorage } from "../../src/storage/file.ts";

const storage = fileStorage({ roots: null });
const MODEL = new URL("../fixtures/tfjs/sequential/", import.meta.url);

async function copied(): Promise<string> {
  const folder = `${pathToFileURL(await mkdtemp(join(tmpdir(), "collapsar-test-"))).href}/${randomUUID()}`;
  for (const name of readdirSync(MODEL)) await storage.write(`${folder}/${name}`, readFileSync(new URL(name, MODEL)));
  return folder;
}

it("has another version and another digest once a weights file is another, though model.json stays", async () => {
  const folder = await copied();
  const url = `${folder}/model.json`;
  const head = await storage.head(url);
  const before = [await checkpointVersion(storage, head), (await fetchCheckpoint(storage, url)).sha256];
  expect(before).toEqual([await checkpointVersion(storage, head), (await fetchCheckpoint(storage, url)).sha256]);
  const shard = readdirSync(MODEL).find((name) => name.endsWith(".bin"))!;
  const bytes = new Uint8Array(readFileSync(new URL(shard, MODEL)));
  await storage.write(`${folder}/${shard}`, bytes.with(0, bytes[0]! ^ 1));
  const after = [await checkpointVersion(storage, head), (await fetchCheckpoint(storage, url)).sha256];
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
});

it("refuses a layers model whose name does not say that it has weights files beside it", async () => {
  const folder = await copied();
  await storage.write(`${folder}/model.txt`, readFileSync(new URL("model.json", MODEL)));
  await expect(fetchCheckpoint(storage, `${folder}/model.txt`)).rejects.toMatchObject({
    code: "malformed-checkpoint",
    message: expect.stringMatching(/model\.txt".*ends in \.json/),
  });
});
