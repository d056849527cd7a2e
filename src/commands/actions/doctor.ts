import { styleText } from "node:util";
import { type Config, readConfig } from "../../config.ts";
import { CollapsarError } from "../../errors.ts";
import { type OutputOptions, print } from "../output.ts";
import { wrap } from "../table.ts";
import { CHECKS, type Check } from "./checks.ts";

/** A check that was made. */
interface Checked {
  readonly name: string;
  /** `note`: what may be missing here, `broken`: what cannot be done without. */
  readonly status: "ok" | "note" | "broken";
  readonly found: string;
  /** What to do about it; null where all is well. */
  readonly fix: string | null;
}

/** Makes every check and prints what was found and what to do. @throws CollapsarError `internal` where something needed is broken. */
export async function doctor(output: OutputOptions): Promise<void> {
  const config = readConfig();
  const checks: Checked[] = [];
  for (const [name, check] of Object.entries(CHECKS)) checks.push({ name, ...(await made(check, config)) });
  const broken = checks.filter(({ status }) => status === "broken");
  print(checks, output, format, () => format(broken));
  if (broken.length > 0)
    throw new CollapsarError("internal", `${broken.length} of ${checks.length} checks failed: ${names(broken)}`);
}

/** What a check throws is what it found. */
async function made(check: Check, config: Config): Promise<Omit<Checked, "name">> {
  try {
    return { fix: null, ...(await check(config)) };
  } catch (error) {
    const { message } = error as Error;
    return { status: "broken", found: message, fix: null };
  }
}

const names = (checks: readonly Checked[]) => checks.map(({ name }) => name).join(", ");
const MARKS = { ok: ["green", "✓"], note: ["yellow", "•"], broken: ["red", "✗"] } as const;

function format(checks: readonly Checked[]): string {
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  const indent = " ".repeat(2);
  return checks
    .flatMap(({ name, status, found, fix }) => {
      const [colour, mark] = MARKS[status];
      const lines = [...wrap(`${name}: ${found}`, width - 2), ...(fix === null ? [] : wrap(`→ ${fix}`, width - 2))];
      return lines.map((line, i) => (i === 0 ? `${styleText(colour, mark)} ${line}` : indent + line));
    })
    .join("\n");
}
