/** The name of a process in the decision log where the operator gives none: made once, at start. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** The host's name, as far as it is legal in a file name, and a suffix: a pod that restarts is another instance. */
export function createInstanceName(host: string = hostname()): string {
  const legal = host.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 100);
  return `${legal === '' ? 'postern' : legal}-${randomBytes(4).toString('hex')}`;
}
