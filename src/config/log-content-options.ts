/** The options of `postern serve` about what decisions are recorded, and what of them; part of the table in options.ts. */
import type { OptionSpec } from './option-spec.ts';

export const logContentOptions = [
  {
    key: 'decision-log-include',
    kind: 'list',
    placeholder: 'rule,...',
    sentence:
      'Record only decisions that one of these rules describes, such as "outcome=denied" or "type=doc|folder source=check"; a rule names outcome, type, action, tenant or source.',
  },
  {
    key: 'decision-log-exclude',
    kind: 'list',
    placeholder: 'rule,...',
    sentence: 'Do not record decisions that one of these rules describes, such as "outcome=allowed action=ping*".',
  },
  {
    key: 'decision-log-sample',
    kind: 'list',
    placeholder: 'outcome=rate,...',
    sentence: 'The share of decisions that is recorded, by outcome, such as allowed=0.01; of what is not named, all.',
  },
  {
    key: 'decision-log-path-rate',
    kind: 'fraction',
    default: '0',
    sentence: 'The share of recorded checks that tell the deciding path; records of Explain always do.',
  },
  {
    key: 'decision-log-mask',
    kind: 'list',
    placeholder: 'field=mask,...',
    sentence:
      'What to mask in records: subject, object, caller, trace_id, asserted_groups, attributes or attributes.<name>, by drop, hash or truncate:N; attributes.<name>=keep excepts one.',
  },
  {
    key: 'decision-log-mask-key-file',
    kind: 'string',
    placeholder: 'file',
    sentence: 'A file with the key that hash masks are made with, 32 bytes or more, which not everybody may read.',
  },
] as const satisfies readonly OptionSpec[];
