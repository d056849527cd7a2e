import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** No sandbox, for containers run as root; nothing is fetched that the page did not ask for. */
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"];

/**
 * Returns a headless Chromium of the machine's own, or null where there is none: a line on the console then says that the
 * suite does without, unless COLLAPSAR_TEST_REQUIRE_SERVERS=1 makes that an error.
 */
export async function startChromium(): Promise<Browser | null> {
  const executablePath = findChromium();
  if (executablePath) return chromium.launch({ executablePath, args: ARGUMENTS });
  const absent = `no Chromium: PATH has none of ${NAMES.join(", ")}`;
  if (process.env.COLLAPSAR_TEST_REQUIRE_SERVERS === "1") throw new Error(absent);
  console.warn(`NOT TESTED IN A BROWSER: ${absent}`);
  return null;
}

function findChromium(): string | null {
  const folders = process.env.PATH!.split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}
