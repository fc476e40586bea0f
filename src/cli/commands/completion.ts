/**
 * `postern completion`: the script that teaches a shell to complete, and the
 * hidden `postern complete`, which that script asks. The suggestions are read off
 * the program itself, so that they cannot differ from it.
 */
import { readdirSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { addExamples } from '../options.ts';
import { print } from '../output.ts';

type Complete = (value: string, description: string) => void;

/**
 * Instead of the library's: that one needs the package bash-completion, and evaluates what was typed. Words are
 * split at spaces, because bash itself would split "user:alice" in three. Without a suggestion, files are completed.
 */
const bashScript = `# bash completion for postern
_postern_complete() {
  local line=\${COMP_LINE:0:COMP_POINT} word value
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]} - 1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    [[ $value != :* && $value == "$word"* ]] && COMPREPLY+=("$value")
  done < <(postern complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _postern_complete postern`;

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

export function addCompletionCommand(program: Command): void {
  const command = program
    .command('completion')
    .description('Prints a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(runCompletion);
  addExamples(command, [
    ['source <(postern completion bash)', 'bash: now; put the line into ~/.bashrc to keep it'],
    ['source <(postern completion zsh)', 'zsh: the same, in ~/.zshrc, behind compinit'],
    ['postern completion fish > ~/.config/fish/completions/postern.fish', ''],
  ]);
}

async function runCompletion(shell: (typeof shells)[number]) {
  if (shell === 'bash') {
    print(bashScript);
    return;
  }
  const { script } = await import('@bomb.sh/tab');
  script(shell, 'postern', 'postern');
}

/**
 * What a completion script asks: prints suggestions for the last of the words.
 * @param program All of it, and not one that is running: the library adds its own commands.
 */
export async function suggestWords(program: Command, words: readonly string[]): Promise<void> {
  const { default: collect } = await import('@bomb.sh/tab/commander');
  const suggestions = collect(program, { completionCommandName: 'completion' });
  for (const [, command] of suggestions.commands) {
    for (const [name, argument] of command.arguments) {
      if (/^(file|path|from|to)$/.test(name)) argument.handler = completeFiles;
    }
    for (const name of ['policy', 'output', 'config', 'template']) {
      const option = command.options.get(name);
      if (option !== undefined) option.handler = completeFiles;
    }
  }
  suggestions.parse([...words]);
}

/** The library tells the shell not to complete files by itself, so they are suggested like any other word. */
function completeFiles(complete: Complete): void {
  for (const entry of readdirSync('.', { withFileTypes: true })) {
    if (entry.isFile() && /\.(ya?ml|json)$/.test(entry.name)) complete(entry.name, 'file');
  }
}
