/** Room below the axis, pixels: for its ticks and the name of what it shows. */
export const MARGIN_BOTTOM = 38;

/** Of the name from the axis: so far above the edge that no letter is cut off. */
export const LABEL_OFFSET = 32;
