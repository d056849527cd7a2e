/**
 * Colours of groups, after Okabe and Ito, which people of every kind of colour vision tell apart; style/main.css has one shade of each for
 * light pages and one for dark ones. After the last the first comes again, dashed.
 */
const COLOURS = 8;
const DASHES = ["none", "6 3", "2 3"];

/** How the lines of a group are drawn. */
export interface GroupStyle {
  readonly colour: string;
  readonly dash: string;
}

/** Returns the style of the group that is number `index` of its experiment. */
export function groupStyle(index: number): GroupStyle {
  return {
    colour: `var(--group-${index % COLOURS})`,
    dash: DASHES[Math.floor(index / COLOURS) % DASHES.length]!,
  };
}
