import { unsupported } from "./topology.ts";
import { checkedMap, type MapValue } from "./writer.ts";

/** Zeros around a map. */
export interface Sides {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** A window that slides over a map. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
}

/**
 * Returns the zeros that `padding` puts around the map. `same` makes the output ⌈length/stride⌉ long; an odd one out goes
 * below and to the right. Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
 * @throws CollapsarError `unsupported-network` where that depends on the size of the images, which is unknown.
 */
export function sidesOf(layer: string, padding: "valid" | "same", { height, width }: MapValue, window: Window): Sides {
  if (padding === "valid") return { top: 0, bottom: 0, left: 0, right: 0 };
  const [top, bottom] = sameAlong(layer, height, window);
  const [left, right] = sameAlong(layer, width, window);
  return { top, bottom, left, right };
}

function sameAlong(layer: string, length: number | null, { kernel, stride }: Window): [number, number] {
  if (length === null && stride > 1 && kernel > 1)
    throw unsupported(
      `layer "${layer}" pads "same" at stride ${stride}, which depends on the size of the images: the model must state it in the batch_input_shape of its input`,
    );
  // where the length is null, any will do
  const known = length ?? stride;
  const total = Math.max((Math.ceil(known / stride) - 1) * stride + kernel - known, 0);
  return [total >> 1, total - (total >> 1)];
}

/** Returns the padding that is the same on all four sides, or null where it is not. */
export function evenPadding({ top, bottom, left, right }: Sides): number | null {
  return top === bottom && top === left && top === right ? top : null;
}

/** Returns the map with so many zeros around it, given by `node`. */
export function padded(layer: string, map: MapValue, { top, bottom, left, right }: Sides, node: string): MapValue {
  const height = map.height === null ? null : map.height + top + bottom;
  const width = map.width === null ? null : map.width + left + right;
  return checkedMap(layer, { ...map, node, height, width });
}

/** Returns what a window gives that stays inside the map and `padding` zeros on every side of it. */
export function windowed(
  layer: string,
  map: MapValue,
  { kernel, stride, padding }: Window & { readonly padding: number },
  node: string,
): MapValue {
  const along = (length: number | null) =>
    length === null ? null : Math.floor((length + 2 * padding - kernel) / stride) + 1;
  return checkedMap(layer, { ...map, node, height: along(map.height), width: along(map.width) });
}
