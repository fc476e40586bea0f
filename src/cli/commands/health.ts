/** `postern health`: asks grpc.health.v1, for the health checks of containers. */
import type { Command } from 'commander';
import type { ConnectOptions } from '../connect.ts';
import { exitCodes } from '../exit.ts';
import { addExamples, addSidecarOptions, jsonOption } from '../options.ts';
import { coloursOf, print, printJson } from '../output.ts';

interface HealthOptions extends ConnectOptions {
  readonly json?: true;
}

export function addHealthCommand(program: Command): void {
  const command = program.command('health').description('Is the sidecar serving?').action(runHealth);
  addSidecarOptions(command).addOption(jsonOption());
  addExamples(command, [
    ['postern health', 'exit code 0: serving, 1: not serving, 4: not there'],
    ['postern health --address unix:/run/postern/postern.sock --timeout 500ms', ''],
  ]);
}

async function runHealth({ json, ...options }: HealthOptions) {
  const { connect } = await import('../connect.ts');
  const client = await connect(options);
  try {
    const serving = await client.isServing();
    const word = serving ? 'SERVING' : 'NOT_SERVING';
    const colours = coloursOf(process.stdout);
    if (json) printJson({ status: word });
    else print(serving ? colours.green(word) : colours.red(word));
    process.exitCode = serving ? exitCodes.ok : exitCodes.no;
  } finally {
    client.close();
  }
}
