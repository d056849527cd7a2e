import { execFile } from "node:child_process";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyFolder } from "../api/samples.ts";
import { PROGRAM, runProgram } from "./program.ts";

const run = promisify(execFile);

const hasShell = (shell: string) =>
  run(shell, ["-c", "true"]).then(
    () => true,
    () => false,
  );
const [hasFish, hasZsh] = await Promise.all([hasShell("fish"), hasShell("zsh")]);

let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await emptyFolder();
  await mkdir(join(folder, "bin"));
  const program = join(folder, "bin", "collapsar");
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  await chmod(program, 0o755);
  await writeFile(join(folder, "checkpoint.safetensors"), "");
  env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder };
});
afterAll(() => rm(folder, { recursive: true }));

describe("completion", () => {
  it.each([
    [["ev"], /^evaluate\t.*\nevaluations\t.*\n$/],
    [["evaluate", "--engine", "w"], /^wasm\n$/],
    [["evaluate", "--js"], /^--json\t/],
    [["evaluate", "--json", "--qu"], /^--quiet\t/],
    [["data", ""], /^list\t.*\nadd\t/],
    [["data", "add", "cifar100"], /^cifar100\n$/],
    [["evaluate", ""], /^$/],
    [["runs", "--experiment", ""], /^$/],
  ])("knows what may follow %j", async (words, expected) => {
    const { code, stdout } = await runProgram(folder, env, "complete", "--", ...words);
    expect(code).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it("works in bash, which takes names of files where there is nothing else", async () => {
    const script = `
      eval "$(collapsar completion bash)"
      COMP_WORDS=(collapsar eval); COMP_CWORD=1; _collapsar; echo "\${COMPREPLY[*]}"
      COMP_WORDS=(collapsar completion ''); COMP_CWORD=2; _collapsar; echo "\${COMPREPLY[*]}"
      complete -p collapsar`;
    const { stdout } = await run("bash", ["--norc", "-c", script], { cwd: folder, env });
    expect(stdout).toBe("evaluate evaluations\nbash zsh fish\ncomplete -o default -F _collapsar collapsar\n");
  });

  it.runIf(hasFish)("works in fish", async () => {
    const script =
      'collapsar completion fish | source; complete -C "collapsar eval"; complete -C "collapsar evaluate chec"';
    const { stdout } = await run("fish", ["--no-config", "-c", script], { cwd: folder, env });
    expect(stdout).toMatch(/^evaluate\tEvaluate .*\nevaluations\tList .*\ncheckpoint\.safetensors/);
  });

  it.runIf(hasZsh)("works in zsh", async () => {
    const script = `
      autoload -U compinit; compinit -D -u
      eval "$(collapsar completion zsh)"
      _describe() { print -l -- "\${(@P)2}" }
      _files() { print files }
      words=(collapsar eval); CURRENT=2; _collapsar
      words=(collapsar evaluate ''); CURRENT=3; _collapsar`;
    const { stdout } = await run("zsh", ["-f", "-c", script], { cwd: folder, env });
    expect(stdout).toMatch(/^evaluate:Evaluate .*\nevaluations:List .*\nfiles\n$/);
  });

  it("refuses a shell it does not know", async () => {
    expect(await runProgram(folder, env, "completion", "csh")).toMatchObject({ code: 2 });
  });
});
