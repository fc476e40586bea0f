// A Dockerfile as a list of instructions, and what must hold of an image's last stage. Called by deploy.test.ts.
// It must never need a container engine.

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

/** Joins continued lines and leaves comments out. Heredocs are not known here. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replace(/\\\s*\n\s*/g, ' ');
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', rest = ''] = /^\s*(\w+)\s*(.*)$/.exec(line) ?? [];
      return { keyword: keyword.toUpperCase(), rest: rest.trim() };
    });
}

/** The instructions of each stage, in order; each begins with its FROM. */
export function toStages(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** What `KEYWORD` says for the last time in these instructions. */
export function lastValueOf(instructions: readonly Instruction[], keyword: string): string | undefined {
  return instructions.findLast((instruction) => instruction.keyword === keyword)?.rest;
}

/** The words of an instruction in exec form (`["a", "b"]`, after any options); undefined in shell form. */
export function execForm(rest: string | undefined): string[] | undefined {
  const array = rest === undefined ? null : /\[.*\]$/.exec(rest);
  if (array === null) return undefined;
  const words: unknown = JSON.parse(array[0]);
  return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
}

/** One sentence per problem of an image that is meant for production; none where all is well. */
export function findImageProblems(text: string): string[] {
  const stages = toStages(parseDockerfile(text));
  const last = stages.at(-1) ?? [];
  const bases = stages.map((stage) => stage[0]?.rest.split(' ')[0] ?? '').filter((base) => base !== 'scratch');
  const user = lastValueOf(last, 'USER') ?? '0';
  return [
    ...(stages.length < 2 ? ['one stage: build tools stay inside'] : []),
    ...bases.filter((base) => !/:\d+\.\d+\.\d+\b|@sha256:/.test(base)).map((base) => `${base}: not pinned`),
    ...(/^[1-9]\d*(:[1-9]\d*)?$/.test(user) ? [] : [`USER ${user}: not a number other than root's`]),
    ...last
      .filter(({ keyword }) => keyword === 'RUN' || keyword === 'ADD')
      .map(({ keyword }) => `last stage: ${keyword}`),
    ...['ENTRYPOINT', 'CMD', 'HEALTHCHECK']
      .filter((keyword) => execForm(lastValueOf(last, keyword)) === undefined)
      .map((keyword) => `${keyword}: missing, or needs a shell`),
    ...(lastValueOf(last, 'STOPSIGNAL') === 'SIGTERM' ? [] : ['STOPSIGNAL: not SIGTERM']),
  ];
}
