/** Trains a batch of networks: `collapsar train` under the name of a script. `--help` tells the options. */
import { main } from "../src/main.ts";

process.exitCode = await main(["train", ...process.argv.slice(2)]);
