/** Checks of the options about content, item by item, so that what is wrong with them is told with all other options. */
import { parseFilterRule } from './filter-rules.ts';
import { parseMaskRule } from './mask-rules.ts';
import { parseSampleRate } from './sampling.ts';

/** By the key of the option; each throws PosternError INVALID_OPTION. */
export const contentValidators: Readonly<Record<string, (text: string) => unknown>> = {
  'decision-log-include': parseFilterRule,
  'decision-log-exclude': parseFilterRule,
  'decision-log-sample': parseSampleRate,
  'decision-log-mask': parseMaskRule,
};
