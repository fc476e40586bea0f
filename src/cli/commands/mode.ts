/** `postern mode`: shows what a tenant does with its decisions, or changes it. */
import { Argument, type Command } from 'commander';
import type { Mode as ModeWord } from '../../model/entity.ts';
import { addWriteOptions, type WriteOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';
import { print, printJson } from '../output.ts';

const modes: readonly ModeWord[] = ['enforce', 'shadow', 'off'];

export function addModeCommand(program: Command): void {
  const command = program
    .command('mode')
    .description('Shows or sets what a tenant does with its decisions')
    .addArgument(new Argument('[mode]', 'what it should be from then on; left out, it is shown').choices(modes))
    .action(runMode);
  addWriteOptions(command);
  addExamples(command, [
    ['postern mode', 'enforce, shadow or off'],
    ['postern mode shadow --why "trial run"', 'everything is allowed, and what would be denied is recorded'],
    ['postern mode enforce', 'decisions are final'],
  ]);
}

async function runMode(mode: ModeWord | undefined, options: WriteOptions) {
  if (mode === undefined) {
    const { modeOf, readFacts } = await import('../tenant-facts.ts');
    const { mode: now, revision } = await readFacts(options);
    if (options.json) printJson({ mode: modeOf(now), revision });
    else print(modeOf(now));
    return;
  }
  const [{ commitChanges }, { fromRecord }] = await Promise.all([
    import('../commit.ts'),
    import('../../server/policy/records.ts'),
  ]);
  await commitChanges([{ change: { case: 'put', value: fromRecord({ kind: 'settings', mode }) } }], options);
}
