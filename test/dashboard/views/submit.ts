import { afterEach, describe, expect, it } from "vitest";
import type { EvaluationResource } from "../../../src/api/contract.ts";
import { fileUrl } from "../../api/samples.ts";
import { cellsOf, eventually, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { examine } from "../examine.ts";
import { cancelAll, checkpointAt } from "./unfinished.ts";

/** The form for `POST /evaluate`. */
export function submitView(open: () => Dashboard): void {
  describe("the form", () => {
    afterEach(() => cancelAll(open()));

    it("submits a checkpoint with its sets and its run, by the keyboard alone, and leads to the evaluation", async () => {
      const checkpoint = await checkpointAt(open().folder);
      await visit(open(), "/ui/submit", async (page) => {
        await page.getByRole("textbox", { name: "Checkpoints" }).focus();
        await page.keyboard.type(checkpoint);
        await page.keyboard.press("Tab");
        await page.keyboard.type("digits:test");
        await page.keyboard.press("Tab");
        await page.keyboard.type("fashion-sample");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter"); // unfolds what is seldom needed
        for (const text of ["digits:test", "digits:validation", "by-hand", "forms", "typed", "7", "12"]) {
          await page.keyboard.press("Tab");
          await page.keyboard.type(text);
        }
        await examine(page, "submit");
        await page.getByRole("button", { name: "Evaluate" }).press("Enter");
        await eventually(() => new URL(page.url()).pathname).toMatch(/^\/ui\/evaluations\//);
        await eventually(() => page.locator(".state").textContent()).toMatch(/^succeeded/);
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("by-hand, epoch 12");
        const id = page.url().split("/").at(-1);
        const { dataset, values } = await open().api.request<EvaluationResource>(`/evaluations/${id}`);
        expect(dataset).toBe("digits:test");
        expect(values["auroc:fashion-sample:gmm"]).toBeGreaterThan(0);
        expect(await open().api.request("/runs/by-hand")).toMatchObject({
          experiment: "forms",
          group: "typed",
          seed: 7,
        });
        await page.goBack();
        await eventually(() => page.getByRole("heading", { level: 1 }).textContent()).toBe("Submit");
      });
    });

    it("takes several checkpoints and says of each what became of it", async () => {
      const [good, lost] = [await checkpointAt(open().folder), fileUrl(open().folder, "none.safetensors")];
      await visit(open(), "/ui/submit", async (page) => {
        await page.getByRole("textbox", { name: "Checkpoints" }).fill(`${good}\n${lost}`);
        await page.getByRole("button", { name: "Evaluate" }).click();
        const caption = "1 evaluation, 1 refused";
        await eventually(async () => (await cellsOf(page, caption)).map(([url, state]) => [url, state])).toEqual([
          [good, expect.stringMatching(/queued|running|succeeded/)],
          [lost, "refused"],
        ]);
        expect((await cellsOf(page, caption))[1]![2]).toContain("none.safetensors");
        await examine(page, "submitted");
      });
    });

    it("says what was wrong, and keeps what was typed", async () => {
      await visit(open(), "/ui/submit", async (page) => {
        const field = page.getByRole("textbox", { name: "Checkpoints" });
        await page.getByRole("button", { name: "Evaluate" }).click();
        expect(await field.evaluate((one) => (one as HTMLTextAreaElement).validity.valueMissing)).toBe(true);
        await field.fill("ftp://somewhere/a.safetensors");
        await page.getByRole("button", { name: "Evaluate" }).click();
        await eventually(() => page.getByRole("alert").textContent()).toMatch(/file, s3 or https/);
        expect(await field.inputValue()).toBe("ftp://somewhere/a.safetensors");
        await examine(page, "submit-refused");
      });
    });
  });
}
