/**
 * Scopes as text that callers send, where the long forms are JSON. Called by whoever takes them from the wire. It must
 * never hand on JSON that is deep or large: what shows it in a message recurses.
 */
import { messageOf } from './errors.ts';
import { maxScopeTextBytes } from './limits.ts';
import { problemOfText, quote } from './names.ts';

const forms = 'write {"object":"doc:a*"} or {"type":"doc","regex":"a+"}';

/** The scope as a record would hold it, still untrusted. @throws Error, saying what is wrong */
export function scopeDraftOf(text: string): unknown {
  if (!text.startsWith('{')) return text;
  // Before anything reads it: deep JSON is long, too.
  const problem = problemOfText(text, 'scope', maxScopeTextBytes);
  if (problem?.startsWith('has') === true) throw new Error(`${quote(text)} ${problem}; shorten it`);
  let json: object;
  try {
    json = JSON.parse(text) as object;
  } catch (error) {
    throw new Error(`${quote(text)} is not JSON (${messageOf(error)}); ${forms}`);
  }
  for (const [field, value] of Object.entries(json)) {
    // What else is wrong with them, the checks of records say, and where.
    if (field === '__proto__') throw new Error(`${quote(text)} has a field "__proto__", which no scope has; ${forms}`);
    if (typeof value === 'object')
      throw new Error(`${quote(text)} has a field ${quote(field)} that is not text; ${forms}`);
  }
  return json;
}
