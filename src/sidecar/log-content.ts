/** What the options say about the content of the decision log; the key of its masks is read here. */
import type { ServeOptions } from '../config/options.ts';
import { type Content, type ContentOptions, createContent } from '../decision-log/content/content.ts';
import { readMaskKey } from '../decision-log/content/mask-key.ts';
import type { Logger } from '../telemetry/logger.ts';

/** @throws PosternError INVALID_OPTION for a rule that cannot be read, or a key that cannot be used */
export async function openLogContent(options: ServeOptions, logger: Logger): Promise<Content> {
  const { decisionLogMaskKeyFile: keyFile } = options;
  const maskKey = keyFile === undefined ? undefined : await readMaskKey(keyFile);
  const onMaskFailure = (field: string) => {
    const message = `the decision log could not mask ${field}, and left it out of the record; "masked" tells in which records`;
    logger.warn({}, message);
  };
  return createContent(contentOptionsOf(options), { maskKey, onMaskFailure });
}

function contentOptionsOf(options: ServeOptions): ContentOptions {
  return {
    include: options.decisionLogInclude ?? [],
    exclude: options.decisionLogExclude ?? [],
    sample: options.decisionLogSample ?? [],
    pathRate: options.decisionLogPathRate,
    mask: options.decisionLogMask ?? [],
  };
}
