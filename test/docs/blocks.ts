/** A fenced block of a document that could be run. */
export interface Block {
  readonly language: "sh" | "ts" | "python";
  readonly text: string;
  /** Of its fence in the document, from 1. */
  readonly line: number;
  /** Why it is not run, as its fence says after `no-test:`, or null. */
  readonly skipped: string | null;
}

const FENCE = /^```(sh|ts|python)(.*)\n([\s\S]*?)^```$/gm;

/** Returns the blocks of a document in its order. @throws Error where a fence says anything but a reason not to run it. */
export function blocksOf(document: string): Block[] {
  return [...document.matchAll(FENCE)].map(({ 1: language, 2: info, 3: text, index }) => {
    const line = document.slice(0, index).split("\n").length;
    const skipped = /^ no-test: (\S.+)$/.exec(info!)?.[1] ?? null;
    if (info !== "" && skipped === null) throw new Error(`line ${line}: expected no-test: REASON, not "${info}"`);
    return { language: language as Block["language"], text: text!, line, skipped };
  });
}
