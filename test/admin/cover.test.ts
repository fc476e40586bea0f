// Covering and meeting of permissions, against every text up to a length.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, type Held, meets } from '../../src/admin/cover.ts';
import { compileGlob, matchesGlob } from '../../src/graph/glob.ts';
import { parsePermission, parseShortPermission } from '../../src/model/permission.ts';

const held = (text: string, ...except: string[]): Held => ({
  permission: parseShortPermission(text),
  except: except.map(parseShortPermission),
});
const on = (objects: string, action: string): Held => ({
  permission: parsePermission({ objects, actions: [action] })[0] as Held['permission'],
  except: [],
});

/** Every text of a's and b's up to six letters: longer than any witness that globs of four pieces need. */
const texts = [''];
for (const text of texts) if (text.length < 6) texts.push(`${text}a`, `${text}b`);
const glob = fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const matching = (text: string) => {
  const compiled = compileGlob(text);
  return new Set(texts.filter((each) => matchesGlob(compiled, each)));
};

describe('covering', () => {
  it('is never claimed where something is left out', () => {
    fc.assert(
      fc.property(glob, glob, (mine, theirs) => {
        if (!covers(held(`t:${mine}`), held(`t:${theirs}`))) return;
        const matched = matching(mine);
        expect([...matching(theirs)].filter((text) => !matched.has(text))).toEqual([]);
      }),
    );
  });

  it.each([
    ['*', 'doc:read'],
    ['*', '*'],
    ['doc:*', 'doc:read'],
    ['doc:*', 'doc:Get*'],
    ['*:read', 'doc:read'],
    ['d*:re*', 'doc:read'],
  ])('%s covers %s', (mine, theirs) => {
    expect(covers(held(mine), held(theirs))).toBe(true);
  });

  it.each([
    ['doc:read', 'doc:*'],
    ['doc:*', '*'],
    ['doc:Get*', 'doc:*'],
    ['doc:read', 'folder:read'],
    ['*:read', '*'],
  ])('%s does not cover %s', (mine, theirs) => {
    expect(covers(held(mine), held(theirs))).toBe(false);
  });

  it('minds what is excepted on either side', () => {
    expect(covers(held('doc:*', 'doc:delete'), held('doc:read'))).toBe(true);
    expect(covers(held('doc:*', 'doc:delete'), held('doc:delete'))).toBe(false);
    expect(covers(held('doc:*', 'doc:delete'), held('doc:*'))).toBe(false);
    expect(covers(held('doc:*', 'doc:delete'), held('doc:*', 'doc:de*'))).toBe(true);
    expect(covers(held('doc:*'), held('doc:*', 'doc:delete'))).toBe(true);
  });

  it('needs the same objects, or all of them', () => {
    expect(covers(held('doc:read'), on('doc:a*', 'read'))).toBe(true);
    expect(covers(on('doc:a*', 'read'), on('doc:a*', 'read'))).toBe(true);
    expect(covers(on('doc:a*', 'read'), held('doc:read'))).toBe(false);
    expect(covers(on('doc:a*', 'read'), on('doc:ab*', 'read'))).toBe(false);
    expect(covers(held('doc:read'), on('folder:1', 'read'))).toBe(false);
  });
});

describe('meeting', () => {
  it('is found exactly where some text is matched by both', () => {
    fc.assert(
      fc.property(glob, glob, (a, b) => {
        const matched = matching(b);
        expect(meets(held(`t:${a}`), held(`t:${b}`))).toBe([...matching(a)].some((text) => matched.has(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('is looked for in types, too', () => {
    expect(meets(held('d*:read'), held('*c:read'))).toBe(true);
    expect(meets(held('doc:read'), held('folder:read'))).toBe(false);
  });
});
