/** The entry of the `postern` command. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Halves the time to the first answer. Not in the shared temporary directory, where others could leave code for us.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'postern'));

const { run } = await import('./cli/run.ts');
await run(process.argv);
