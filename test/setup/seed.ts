/**
 * The seed of every random test, so that a run can be repeated: npm test takes the same one each time, and is green or
 * red for the code's sake. POSTERN_SEED=<n> takes another, POSTERN_SEED=random one that is printed.
 */
import fc from 'fast-check';

const usual = 20_261_122;
const asked = process.env.POSTERN_SEED;

export const seed = asked === undefined ? usual : asked === 'random' ? Date.now() % 0x7fffffff : Number(asked);
if (asked === 'random') process.env.POSTERN_SEED = String(seed);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
