import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { eventually, saved, visit } from "../browse.ts";
import type { Dashboard } from "../dashboard.ts";
import { EXPERIMENT } from "../recorded.ts";

/** Every chart of an experiment, saved. */
export function exportedCharts(open: () => Dashboard): void {
  describe("a saved chart", () => {
    it("is an SVG of its own, with the colours of the page and nothing that belongs to the page", async () => {
      await visit(open(), `/ui/experiments/${EXPERIMENT}?seeds=1`, async (page) => {
        await eventually(() => page.locator(".drawing .plot").count()).toBeGreaterThan(9);
        for (const [title, file] of [
          ["NC1 variability ↓", "nc1"],
          ["test accuracy ↑", "accuracy"],
          ["AUROC, gmm · fashion-sample against NC1 variability", "auroc_fashion-sample_gmm-against-nc1"],
        ] as const) {
          const { name, bytes } = await saved(page, page.getByRole("button", { name: `Save ${title} as SVG` }));
          expect(name).toBe(`${EXPERIMENT}-${file}.svg`);
          const text = bytes.toString();
          expect(text).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
          expect(text).not.toMatch(/var\(|class="(brush|crosshair)/);
          expect(text).toContain("#0068a8"); // the first group, as style/colours.css has it for light pages
          const { width, height } = await sharp(bytes).metadata(); // a reader that knows no style of the page
          expect([width! > 200, height! > 200]).toEqual([true, true]);
        }
      });
    });

    it("is a PNG three times as large as it is shown, with the same picture in it", async () => {
      await visit(open(), `/ui/experiments/${EXPERIMENT}`, async (page) => {
        const chart = page.getByRole("figure", { name: "NC1 variability ↓", exact: true });
        await eventually(() => chart.locator(".plot").count()).toBe(1);
        const { name, bytes } = await saved(page, chart.getByRole("button", { name: /as PNG$/ }));
        expect(name).toBe(`${EXPERIMENT}-nc1.png`);
        const size = await chart.locator(".plot").evaluate((svg) => [svg.clientWidth, svg.clientHeight]);
        const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
        expect([info.width, info.height]).toEqual(size.map((pixels) => 3 * pixels));
        const colours = new Set<number>();
        for (let i = 0; i < data.length; i += 3) colours.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
        for (const colour of [0xffffff, 0x0068a8, 0xc74e00]) expect(colours).toContain(colour);
      });
    });
  });
}
