import { INPUT } from "../../networks/graph.ts";
import type { FoldedNode } from "../fold.ts";

/** Height and width of a map. */
export interface MapSize {
  readonly height: number;
  readonly width: number;
}

/** Returns the size of every map of the network, by the node whose output it is, for images of that size. */
export function mapSizes(nodes: readonly FoldedNode[], images: MapSize): ReadonlyMap<string, MapSize> {
  const sizes = new Map([[INPUT, images]]);
  for (const node of nodes) {
    const before = sizes.get(node.op === "add" ? node.inputs[0] : node.input);
    const size = before && sizeAfter(node, before);
    if (size) sizes.set(node.name, size);
  }
  return sizes;
}

/** Null where the output is no map. */
function sizeAfter(node: FoldedNode, { height, width }: MapSize): MapSize | null {
  const slid = (kernel: number, stride: number, padding: number) => ({
    height: Math.floor((height + 2 * padding - kernel) / stride) + 1,
    width: Math.floor((width + 2 * padding - kernel) / stride) + 1,
  });
  switch (node.op) {
    case "foldedConv":
      return slid(node.shape[2]!, node.stride, node.padding);
    case "maxPool":
      return slid(node.kernel, node.stride, node.padding);
    case "averagePool":
      return slid(node.kernel, node.stride, 0);
    case "zeroPad":
      return { height: height + node.top + node.bottom, width: width + node.left + node.right };
    case "globalAveragePool":
    case "flatten":
    case "l2Normalize":
    case "linear":
      return null;
    default:
      return { height, width };
  }
}
