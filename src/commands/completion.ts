import { Argument, type Command, Option } from "commander";
import { print } from "./output.ts";

/** What each shell reads: it asks the program, and takes names of files where that knows nothing. */
const SCRIPTS = {
  bash: `_collapsar() {
  local IFS=$'\\n'
  COMPREPLY=($(collapsar complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _collapsar collapsar`,
  zsh: `#compdef collapsar
_collapsar() {
  local -a found
  found=("\${(@f)$(collapsar complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found//:/\\\\:}")
  found=("\${(@)found//$'\\t'/:}")
  if [[ -n "\${found[1]}" ]]; then _describe collapsar found; else _files; fi
}
compdef _collapsar collapsar`,
  fish: `function __collapsar
  set -l found (collapsar complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c collapsar -f -a '(__collapsar)'`,
} as const;

/** Defines `completion`: the script of a shell. */
export function define(command: Command): void {
  command
    .addArgument(new Argument("<shell>", "what reads it").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      '\nIn bash or zsh: eval "$(collapsar completion bash)"; in fish: collapsar completion fish | source',
    )
    .action((shell: keyof typeof SCRIPTS, output) =>
      print({ shell, script: SCRIPTS[shell] }, output, (it) => it.script),
    );
}

/**
 * Returns what may stand where the last of `words` is begun, each with what it means after a tab: options, the choices of
 * an option or an argument, or commands. Nothing where a file or anything else may stand.
 */
export function completionsOf(root: Command, words: readonly string[]): string[] {
  const begun = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  let command = root;
  let option: Option | undefined;
  let argument = 0;
  for (const word of before) {
    const named = command.commands.find((each) => each.name() === word);
    if (option) option = undefined;
    else if (word.startsWith("-"))
      option = command.options.find((each) => each.required && [each.short, each.long].includes(word));
    else if (named) command = named;
    else argument++;
  }
  const candidates = option
    ? (option.argChoices ?? []).map((name) => [name, ""])
    : begun.startsWith("-")
      ? [...command.options, new Option("--help", "display help")].map((each) => [each.long ?? "", each.description])
      : [
          ...command
            .createHelp()
            .visibleCommands(command)
            .map((each) => [each.name(), each.description()]),
          ...(command.registeredArguments[argument]?.argChoices ?? []).map((name) => [name, ""]),
        ];
  return candidates
    .filter(([name]) => name!.startsWith(begun))
    .map(([name, text]) => (text ? `${name}\t${text}` : name!));
}

/** Adds the hidden command that the scripts call with the words of the line, and returns it. */
export function addCompletion(root: Command): Command {
  return root
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action((words: string[]) => {
      const found = completionsOf(root, words);
      if (found.length > 0) process.stdout.write(`${found.join("\n")}\n`);
    });
}
