import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { savePng, saveSvg } from "./exportChart.ts";

interface ChartProps {
  readonly title: string;
  /** What the chart shows, for who does not see it. */
  readonly description: string;
  /** Of the files it is saved as. */
  readonly fileName: string;
  /** Draws the chart as wide as there is room (pixels); another function draws it anew. */
  readonly draw: (width: number) => SVGSVGElement | HTMLElement;
  readonly note?: ComponentChildren;
  /** Whether there are links in it. */
  readonly withLinks?: boolean;
}

/** A chart under its title, drawn as wide as its place, that can be saved as SVG and PNG. */
export function Chart({ title, description, fileName, draw, note, withLinks = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    if (width === 0) return;
    const drawn = draw(width);
    place.current!.replaceChildren(fitted(drawn));
  }, [draw, width]);
  // links within a picture would not be found
  const named = { role: withLinks ? "group" : "img", "aria-label": description } as const;
  const chart = () => place.current!.querySelector("svg")!;
  return (
    <figure class="chart" aria-label={title}>
      <figcaption>
        <h3>{title}</h3>
        <span class="saves">
          <button type="button" aria-label={`Save ${title} as SVG`} onClick={() => saveSvg(chart(), fileName)}>
            SVG
          </button>
          <button type="button" aria-label={`Save ${title} as PNG`} onClick={() => savePng(chart(), fileName)}>
            PNG
          </button>
        </span>
      </figcaption>
      <div class="drawing" ref={place} {...named} />
      {note && <p class="note">{note}</p>}
    </figure>
  );
}

/**
 * Returns what Plot drew without the style that it brings, for a style within a page is not allowed here and style/charts.css says the
 * same, and with classes in place of the labels of its groups, which have no role that may be labelled.
 */
function fitted(drawn: Element): Element {
  for (const style of drawn.querySelectorAll("style")) style.remove();
  for (const group of drawn.querySelectorAll("g[aria-label]")) {
    group.setAttribute("class", group.getAttribute("aria-label")!);
    group.removeAttribute("aria-label");
  }
  return drawn;
}

function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, [place]);
  return width;
}
