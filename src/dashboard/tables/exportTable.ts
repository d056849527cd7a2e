import { save } from "./save.ts";

/** A cell in what is saved: numbers keep full precision in CSV. */
export type Cell = string | number | null;

/** A table for programs: its headings, and per row a cell of each. */
export interface CsvTable {
  readonly headings: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

/** A table as people read it. */
export interface LatexTable {
  readonly headings: readonly string[];
  /** Which columns are numbers. */
  readonly numeric: readonly boolean[];
  /** With what stands above a row, where something does. */
  readonly rows: readonly { readonly section: string | null; readonly texts: readonly string[] }[];
}

/** Saves a table as `name.csv` (RFC 4180), at full precision. */
export function saveCsv({ headings, cells }: CsvTable, name: string): void {
  save(`${name}.csv`, [headings, ...cells].map((row) => `${row.map(csvCell).join(",")}\n`).join(""), "text/csv");
}

/** Saves a table as `name.tex`, as it is shown, with the rules of booktabs. */
export function saveLatex({ headings, numeric, rows }: LatexTable, name: string): void {
  const columns = numeric.map((isNumber) => (isNumber ? "r" : "l")).join("");
  const line = (row: readonly string[]) => `  ${row.map(latexCell).join(" & ")} \\\\\n`;
  const above = (section: string | null) =>
    section === null ? "" : `  \\multicolumn{${headings.length}}{l}{\\textit{${latexCell(section)}}} \\\\\n`;
  const text = [
    "% needs \\usepackage{booktabs}\n",
    `\\begin{tabular}{${columns}}\n  \\toprule\n`,
    `${line(headings)}  \\midrule\n`,
    ...rows.map(({ section, texts }) => above(section) + line(texts)),
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
