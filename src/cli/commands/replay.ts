/** `postern replay`: what another policy would have answered to the questions of the decision log. */
import { type Command, Option } from 'commander';
import { groupings } from '../../impact/tally.ts';
import { PosternError } from '../../model/errors.ts';
import { exitCodes } from '../exit.ts';
import { addLogPlaceOptions, addRecordOptions, logPlaceOf, sinceOption, untilOption } from '../log-options.ts';
import { addExamples, addRedisOptions, jsonOption, parseCount } from '../options.ts';
import type { ReplayFlags } from '../replay-log.ts';

export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('What would change under another policy, by the decisions of the log')
    .addOption(new Option('--policy <file>', 'the proposed policy; also redis://host:port').conflicts('changes'))
    .option('--changes <file>', 'propose the graph in --redis with these changes, as "postern commit" takes them')
    .option('--baseline <file>', 'compare with what this policy says, not with what was recorded')
    .addOption(sinceOption())
    .addOption(untilOption());
  addRecordOptions(addLogPlaceOptions(command))
    .addOption(
      new Option('--group-by <what>', 'what the decisions of a group have in common')
        .choices(groupings)
        .default('cause'),
    )
    .addOption(new Option('--limit <n>', 'show so many groups').argParser(parseCount).default(10))
    .option('--each', 'print every decision that would change, as it is found')
    .addOption(jsonOption())
    .action(runReplay);
  addExamples(addRedisOptions(command, 'decisions'), [
    ['postern replay --policy new.yaml --since 24h', 'exit code 0: nothing would change, 1: something would'],
    ['postern replay --policy new.yaml --group-by subject', 'whom would it hit?'],
    ['postern replay --redis redis://localhost --changes changes.yaml', 'before "postern commit changes.yaml"'],
    ['postern replay --policy new.yaml --baseline old.yaml', 'where the log was written under another policy still'],
    ['postern replay --policy new.yaml --each --json | jq .decision', 'every one of them, for a script'],
  ]);
}

async function runReplay(flags: ReplayFlags, command: Command) {
  if (flags.policy === undefined && flags.changes === undefined) {
    const message = 'no policy is proposed; name a file with --policy, or changes with --changes';
    throw new PosternError('INVALID_OPTION', message, { field: '--policy' });
  }
  const { replayLog } = await import('../replay-log.ts');
  process.exitCode = (await replayLog(flags, logPlaceOf(flags, command))) === 0 ? exitCodes.ok : exitCodes.no;
}
