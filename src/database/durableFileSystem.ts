import { fsyncSync } from "node:fs";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** An open file of emscripten's NODEFS; a folder has no descriptor. */
interface Stream {
  readonly nfd?: number;
}

type Preparation = { NODEFS: { stream_ops: { fsync?: (stream: Stream) => number } } };

/** PGlite's files in a folder, with the one operation its file system lacks: fsync. */
export class DurableFileSystem extends NodeFS {
  override async init(...[pglite, options]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const preRun = [...(emscriptenOpts.preRun ?? []), giveFsync as unknown as (module: unknown) => void];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }
}

function giveFsync({ NODEFS }: Preparation): void {
  NODEFS.stream_ops.fsync = ({ nfd }) => {
    if (nfd !== undefined) fsyncSync(nfd);
    return 0;
  };
}
