/**
 * Commands that have commands of their own: `postern roles create`. What such a command does by itself is to list.
 * It must never take a misspelt word for something to list.
 */
import { Command } from 'commander';
import { checkSubcommandName } from './usage.ts';

export interface Subcommands {
  /** Adds one; the help of all of them is the help of the whole. */
  add(name: string, description: string): Command;
  /** Adds the one that runs where none is named. */
  addList(description: string): Command;
}

export function addSubcommands(program: Command, name: string, description: string): [Command, Subcommands] {
  const whole = program
    .command(name)
    .description(description)
    .helpCommand('help [command]', 'print the help of a command');
  const add = (sub: string, about: string) => whole.command(sub).description(about);
  const addList = (about: string) => {
    const list = new Command('list').description(about).copyInheritedSettings(whole).allowExcessArguments();
    // Everything that is no command comes here.
    list.hook('preAction', () => {
      const [word] = list.args;
      if (word !== undefined)
        checkSubcommandName(
          name,
          word,
          whole.commands.map((command) => command.name()),
        );
    });
    whole.addCommand(list, { isDefault: true });
    return list;
  };
  return [whole, { add, addList }];
}
