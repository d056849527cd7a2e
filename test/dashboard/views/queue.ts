import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import type { EvaluationList, EvaluationResource } from "../../../src/api/contract.ts";
import { alsoReloaded, cellsOf, eventually, queryOf, saved, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { runOf } from "../recorded.ts";
import { cancelAll, failed, held, submitSlow } from "./unfinished.ts";

/** What runs, waits, failed and is done. */
export function queueView(open: () => Dashboard): void {
  const list = async (query: string) => (await open().api.request<EvaluationList>(`/evaluations?${query}`)).items;
  const nameOf = ({ checkpoint }: Pick<EvaluationResource, "checkpoint">) =>
    checkpoint.url.split("/").slice(-2).join("/");
  const names = async (page: Page, part: string) => (await tableOf(page, part)).map(([name]) => name);
  const tableOf = async (page: Page, part: string) =>
    (await page.getByRole("table", { name: `${part} evaluations`, exact: true }).count()) === 0
      ? []
      : cellsOf(page, `${part} evaluations`);

  const ended = async ({ id }: EvaluationResource) => {
    const { status, attempts } = await open().api.request<EvaluationResource>(`/evaluations/${id}`);
    return [status, attempts];
  };

  describe("the queue", () => {
    afterEach(() => cancelAll(open()));

    it("tells what runs, waits and failed, and why; each is cancelled or run again there, and axe finds nothing", async () => {
      const broken = [await failed(open(), "lost-1.safetensors"), await failed(open(), "lost-2.safetensors")];
      const slow = [await held(open()), await submitSlow(open(), 2), await submitSlow(open(), 2)];
      await visit(open(), "/ui/queue", async (page) => {
        await eventually(() => names(page, "Running")).toEqual([nameOf(slow[0]!)]);
        await eventually(() => names(page, "Waiting")).toEqual([nameOf(slow[2]!), nameOf(slow[1]!)]);
        await eventually(() => names(page, "Failed")).toEqual(expect.arrayContaining(broken.map(nameOf)));
        const rows = await tableOf(page, "Failed");
        for (const evaluation of broken) {
          const [, state, why] = rows.find(([name]) => name === nameOf(evaluation))!;
          expect([state, why]).toEqual(["failed", `${evaluation.error!.code} ${evaluation.error!.message}`]);
        }
        await examine(page, "queue");
        await page.getByRole("button", { name: `Cancel ${slow[2]!.id}` }).press("Enter");
        await eventually(() => names(page, "Cancelled")).toContain(nameOf(slow[2]!));
        await page.getByRole("button", { name: `Retry ${broken[0]!.id}` }).click();
        await eventually(async () => (await list("status=failed")).map(({ id }) => id)).not.toContain(broken[0]!.id);
        for (const { id } of [slow[1]!, slow[0]!]) {
          await page.getByRole("button", { name: `Cancel ${id}` }).click();
          await eventually(async () => (await list("status=cancelled")).map((one) => one.id)).toContain(id);
        }
        await eventually(() => ended(broken[0]!)).toEqual(["failed", 2]); // run again, it failed again
        await eventually(() => names(page, "Failed")).toContain(nameOf(broken[0]!));
      });
    });

    it("runs again all that failed by one press", async () => {
      const broken = [await failed(open(), "lost-3.safetensors"), await failed(open(), "lost-4.safetensors")];
      await visit(open(), "/ui/queue", async (page) => {
        await page.getByRole("button", { name: /^Retry all \d+$/ }).click();
        for (const evaluation of broken) await eventually(() => ended(evaluation)).toEqual(["failed", 2]);
      });
    });

    it("is filtered by run, experiment and dataset, by address too, and saved", async () => {
      await visit(open(), "/ui/queue", async (page) => {
        await page.getByLabel("Run", { exact: true }).fill(runOf("nc", 1));
        await page.keyboard.press("Enter");
        const expected = (await list(`run=${runOf("nc", 1)}&status=succeeded`)).map(nameOf);
        await alsoReloaded(page, () => eventually(() => names(page, "Done last")).toEqual(expected));
        expect(queryOf(page)).toEqual({ run: runOf("nc", 1) });
        const { bytes } = await saved(page, page.getByRole("button", { name: "Save Done last evaluations as CSV" }));
        expect(bytes.toString().trimEnd().split("\n")).toHaveLength(1 + expected.length);
        await page.getByLabel("Run", { exact: true }).fill("nobody");
        await page.keyboard.press("Tab");
        await eventually(() => page.getByText("Nothing is done yet.").count()).toBe(1);
      });
    });

    it("has what is done page by page, and back leads to the page before", async () => {
      await visit(open(), "/ui/queue", async (page) => {
        const all = (await list("status=succeeded&limit=100")).map(nameOf);
        const pages = page.getByRole("navigation", { name: "Pages" }).last();
        await eventually(() => names(page, "Done last")).toEqual(all.slice(0, 10));
        await pages.getByRole("button", { name: "Next page" }).click();
        await eventually(() => names(page, "Done last")).toEqual(all.slice(10, 20));
        await page.goBack();
        await eventually(() => names(page, "Done last")).toEqual(all.slice(0, 10));
      });
    });
  });
}
