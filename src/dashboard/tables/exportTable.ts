import { save } from "./save.ts";

/** A cell in what is saved: numbers keep full precision in CSV. */
export type Cell = string | number | null;

/** A table as it is saved: its headings, and per row a cell of each. */
export interface SavedTable {
  readonly headings: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
  /** The cells as people read them, for LaTeX. */
  readonly texts: readonly (readonly string[])[];
}

/** Saves a table as `name.csv` (RFC 4180), at full precision. */
export function saveCsv({ headings, cells }: SavedTable, name: string): void {
  save(`${name}.csv`, [headings, ...cells].map((row) => `${row.map(csvCell).join(",")}\n`).join(""), "text/csv");
}

/** Saves a table as `name.tex`, as it is shown, with the rules of booktabs. */
export function saveLatex({ headings, texts, cells }: SavedTable, name: string): void {
  const columns = headings.map((_, i) => (cells.every((row) => typeof row[i] !== "string") ? "r" : "l")).join("");
  const line = (row: readonly string[]) => `  ${row.map(latexCell).join(" & ")} \\\\\n`;
  const text = [
    "% needs \\usepackage{booktabs}\n",
    `\\begin{tabular}{${columns}}\n  \\toprule\n`,
    `${line(headings)}  \\midrule\n`,
    ...texts.map(line),
    "  \\bottomrule\n\\end{tabular}\n",
  ];
  save(`${name}.tex`, text.join(""), "application/x-tex");
}

/** A text that a spreadsheet would run gets a quote before it, as in the CSV of the service. */
function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "±": "$\\pm$",
  "↓": "$\\downarrow$",
  "↑": "$\\uparrow$",
  "−": "$-$",
  "≠": "$\\neq$",
  "·": "$\\cdot$",
  "–": "--",
  Σ: "$\\Sigma$",
  "<": "$<$",
};

function latexCell(text: string): string {
  return text.replace(/[&%$#_{}\\~^±↓↑−≠·–Σ<]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
}
