import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import type { EvaluationResource } from "../../../src/api/contract.ts";
import { noiseBytes } from "../../api/samples.ts";
import { cellsOf, eventually, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { cancelAll, failed, held, submitSlow } from "./unfinished.ts";

/** An evaluation from its submission to its end: progress, cancel, failure, retry. */
export function progressView(open: () => Dashboard): void {
  const statusOf = async (id: string) => (await open().api.request<EvaluationResource>(`/evaluations/${id}`)).status;
  const state = (page: Page) => page.locator(".state").textContent();

  describe("an evaluation that has not ended", () => {
    afterEach(() => cancelAll(open()));

    it("shows how far it is until its numbers come, without being loaded again", async () => {
      const first = await held(open());
      const { id } = await submitSlow(open(), 24);
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        await eventually(() => state(page)).toContain("waits for a worker");
        await page.evaluate(() => {
          const seen: string[] = [];
          Object.assign(window, { seen });
          new MutationObserver(() => seen.push(document.querySelector(".state")?.textContent ?? "")).observe(document, {
            ...{ subtree: true, childList: true, characterData: true, attributes: true },
          });
        });
        await open().api.request(`/evaluations/${first.id}/cancel`, { method: "POST" });
        await eventually(() => state(page)).toContain("succeeded");
        expect(await page.getByRole("heading", { name: "All numbers" }).count()).toBe(1);
        const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
        expect(seen.filter((text) => /^running.*train \d+ %/.test(text)).length).toBeGreaterThan(0);
        const { values } = await open().api.request<EvaluationResource>(`/evaluations/${id}`);
        await eventually(async () => (await cellsOf(page, "Metrics")).length).toBe(Object.keys(values).length);
      });
    });

    it("goes on where its stream broke", async () => {
      const first = await held(open());
      const { id } = await submitSlow(open(), 12);
      await visit(open(), "/ui/queue", async (page) => {
        const asked: (string | undefined)[] = [];
        await page.route(`**/evaluations/${id}/events`, async (route) => {
          asked.push(route.request().headers()["last-event-id"]);
          if (asked.length === 1) return route.abort("connectionreset");
          if (asked.length > 2) return route.continue();
          // one state, then the stream ends as where a proxy closes it
          const evaluation = await open().api.request<EvaluationResource>(`/evaluations/${id}`);
          const body = `id: one\nevent: progress\ndata: ${JSON.stringify(evaluation)}\n\n`;
          return route.fulfill({ contentType: "text/event-stream", body });
        });
        await page.goto(`/ui/evaluations/${id}`);
        await eventually(() => asked.length).toBe(3);
        await open().api.request(`/evaluations/${first.id}/cancel`, { method: "POST" });
        await eventually(() => state(page)).toContain("succeeded");
        expect(asked).toEqual([undefined, undefined, "one"]);
      });
    });

    it("is cancelled by a press, and begun again by another", async () => {
      const { id } = await held(open());
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        await eventually(() => state(page)).toMatch(/^running/);
        await page.getByRole("button", { name: `Cancel ${id}` }).press("Enter");
        await eventually(() => state(page)).toMatch(/^cancelled/);
        expect(await statusOf(id)).toBe("cancelled");
        await page.getByRole("button", { name: `Retry ${id}` }).click();
        await eventually(() => state(page)).toMatch(/^(queued|running)/);
        await eventually(() => cellsOf(page, "Attempts").then((rows) => rows.map(([, , , then]) => then))).toContain(
          "cancelled",
        );
      });
    });

    it("says why it failed, logs every attempt, and succeeds when what was broken is mended", async () => {
      const { id, error } = await failed(open(), "broken.safetensors");
      await visit(open(), `/ui/evaluations/${id}`, async (page) => {
        const refused = page.locator(".refused");
        await eventually(() => refused.textContent()).toContain(error!.message);
        expect(await refused.locator("code").textContent()).toBe(error!.code);
        await page.getByRole("button", { name: `Retry ${id}` }).click();
        const attempts = async () => (await cellsOf(page, "Attempts")).map(([attempt, , , then]) => [attempt, then]);
        await eventually(attempts).toEqual([
          ["1", "failed"],
          ["2", "failed"],
        ]);
        await eventually(() => cellsOf(page, "Attempts").then((rows) => rows[1]![4])).toContain(error!.message);
        await examine(page, "evaluation-failed");
        await writeFile(join(open().folder, "broken.safetensors"), noiseBytes(50));
        await page.getByRole("button", { name: `Retry ${id}` }).click();
        await eventually(() => state(page)).toMatch(/^succeeded/);
        await eventually(attempts).toEqual([
          ["1", "failed"],
          ["2", "failed"],
          ["3", "succeeded"],
        ]);
      });
    });
  });
}
