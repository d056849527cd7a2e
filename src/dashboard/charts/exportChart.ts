import { save } from "../tables/save.ts";

/** Dots of a PNG per unit of the page: sharp in print. */
const PNG_SCALE = 3;

/** Saves a chart as it is shown, on its background, as `name.svg`. */
export function saveSvg(chart: SVGSVGElement, name: string): void {
  save(`${name}.svg`, standalone(chart), "image/svg+xml");
}

/** Saves a chart as it is shown as `name.png`, three dots for each of the page's. */
export async function savePng(chart: SVGSVGElement, name: string): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(chart))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = chart.clientWidth * PNG_SCALE;
  canvas.height = chart.clientHeight * PNG_SCALE;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && save(`${name}.png`, blob, "image/png"));
}

/** Returns the chart as a document of its own: with the colours and the font that the page's style gives it. */
function standalone(chart: SVGSVGElement): string {
  const style = getComputedStyle(chart);
  const copy = chart.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(chart.clientWidth));
  copy.setAttribute("height", String(chart.clientHeight));
  copy.setAttribute("font-family", style.fontFamily);
  copy.setAttribute("font-size", style.fontSize);
  copy.setAttribute("color", style.color);
  const background = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  background.setAttribute("width", "100%");
  background.setAttribute("height", "100%");
  background.setAttribute("fill", "var(--surface)");
  copy.prepend(background);
  return new XMLSerializer()
    .serializeToString(copy)
    .replace(/var\((--[\w-]+)\)/g, (_, name: string) => style.getPropertyValue(name).trim());
}
