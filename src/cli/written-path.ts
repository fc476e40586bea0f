/** The deciding path of a record, in lines as those of `postern explain`. Pure text. */
import type { DecisionRecord } from '../decision-log/record.ts';
import { describeBindingParts } from './describe.ts';
import { type Colours, visible } from './output.ts';

/** What a mask dropped. */
const hidden = '(masked)';

/** Keys that are not known, or not as they should be, are passed over: logs may be edited. */
export function describeWrittenPath({ path = {}, subject, object, binding }: DecisionRecord, colours: Colours): string {
  const { permission, scope, condition } = path;
  const roles = textsOf(path.roles);
  const lines: [name: string, text: string][] = [
    ['subject', chain(subject ?? hidden, path.subject_steps, path.subject_steps_omitted)],
    ...(binding === undefined ? [] : [['binding', describeBindingParts(binding)] as [string, string]]),
    ...(typeof condition === 'string' ? [['condition', condition] as [string, string]] : []),
    ['role', `${roles.join(' → ')}${typeof permission === 'string' ? `: permits ${permission}` : ''}`],
    ['object', chain(object ?? 'the tenant', path.object_steps, path.object_steps_omitted)],
    ...(typeof scope === 'string' ? [['scope', scope] as [string, string]] : []),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const shown = lines.map(([name, text]) => `  ${colours.dim(name.padEnd(width))}  ${visible(text)}`);
  return ['the path that was recorded:', ...shown].join('\n');
}

function chain(start: string, steps: unknown, omitted: unknown): string {
  const names = (Array.isArray(steps) ? steps : []).map((step: unknown) => {
    const { to, asserted } = (step ?? {}) as { readonly to?: unknown; readonly asserted?: unknown };
    return `${typeof to === 'string' ? to : hidden}${asserted === true ? ' (asserted)' : ''}`;
  });
  // What is left out is left out of the middle.
  if (typeof omitted === 'number') names.splice(names.length / 2, 0, `(${omitted} more)`);
  return [start, ...names].join(' → ');
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
