/** The JSON Schemas of the two file formats, for editors. Called by scripts/generate-schema.ts; CI compares the result. */
import * as z from 'zod';
import { policySchema } from './schema.ts';
import { policyTestSchema } from './test-schema.ts';

/** Text of each generated file, by its name at the root of the repository. Draft 7 is what YAML editors know best. */
export function createJsonSchemas(): Readonly<Record<'policy.schema.json' | 'policy-test.schema.json', string>> {
  return { 'policy.schema.json': toJson(policySchema), 'policy-test.schema.json': toJson(policyTestSchema) };
}

function toJson(schema: z.ZodType): string {
  const text = JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }), null, 2);
  return `${text.replaceAll(shortList, joinShortList)}\n`;
}

/** A list of plain values, which the formatter of this repository wants on one line where it fits. */
const shortList = /^( *"[^"]+": )\[\n([^[\]{}]+?)\n *\](,?)$/gm;

function joinShortList(whole: string, start: string, items: string, end: string): string {
  const line = `${start}[${items.trim().replaceAll(/,\n */g, ', ')}]${end}`;
  return line.length <= 120 ? line : whole;
}
