import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { inTurns } from "../inTurns.ts";
import { savePng, saveSvg } from "./exportChart.ts";

interface ChartProps {
  readonly title: string;
  /** What the chart shows, for who does not see it. */
  readonly description: string;
  /** Of the files it is saved as. */
  readonly fileName: string;
  /** Draws the chart as wide as there is room (pixels), and what lies over it; another function draws it anew. */
  readonly draw: (width: number) => Element | readonly [chart: Element, overlay: Element];
  readonly note?: ComponentChildren;
  /** Whether there are links in it. */
  readonly withLinks?: boolean;
}

/** A chart under its title, drawn as wide as its place, that can be saved as SVG and PNG. */
export function Chart({ title, description, fileName, draw, note, withLinks = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => {
    if (width === 0) return;
    const abort = new AbortController();
    inTurn(async () => {
      if (!place.current) return; // the view was left meanwhile
      const [chart, ...overlay] = [draw(width)].flat();
      place.current.replaceChildren(fitted(chart!), ...overlay);
      setDrawn(true);
      await nextTask();
    }, abort.signal).catch(notWanted);
    return () => abort.abort();
  }, [draw, width]);
  // links within a picture would not be found
  const named = { role: withLinks ? "group" : "img", "aria-label": description } as const;
  const chart = () => place.current!.querySelector<SVGSVGElement>("svg.plot")!;
  const button = (kind: string) =>
    ({ type: "button", disabled: !isDrawn, "aria-label": `Save ${title} as ${kind}` }) as const;
  return (
    <figure class="chart" aria-label={title}>
      <figcaption>
        <h3>{title}</h3>
        <span class="saves">
          <button {...button("SVG")} onClick={() => saveSvg(chart(), fileName)}>
            SVG
          </button>
          <button {...button("PNG")} onClick={() => savePng(chart(), fileName)}>
            PNG
          </button>
        </span>
      </figcaption>
      <div class="drawing" ref={place} {...named} />
      {note && <p class="note">{note}</p>}
    </figure>
  );
}

/** Charts are drawn one after the other, each in a task of its own: all at once would keep the page from answering. */
const inTurn = inTurns();

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** A drawing that another one came before is no error. */
function notWanted(reason: unknown): void {
  if (!(reason instanceof DOMException && reason.name === "AbortError")) reportError(reason);
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
