import type { Command } from "commander";
import type { OutputOptions } from "./output.ts";

/** Defines `doctor`: what works here, and what to do about the rest. */
export function define(command: Command): void {
  command.action(async (output: OutputOptions) => (await import("./actions/doctor.ts")).doctor(output));
}
