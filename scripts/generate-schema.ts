/**
 * Writes policy.schema.json and policy-test.schema.json at the root of the repository: `node scripts/generate-schema.ts`.
 * With --check it writes nothing, and fails where a file is not what src/policy-file/schema.ts makes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createJsonSchemas } from '../src/policy-file/json-schema.ts';

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries(createJsonSchemas())) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!check) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(
      `${name} is not what its source makes: run \`node scripts/generate-schema.ts\` and commit the result.`,
    );
    process.exitCode = 1;
  }
}
