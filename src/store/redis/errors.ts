/**
 * What Redis and its client throw, as the one error type. The original is not
 * kept as the cause: the client hangs every argument of the failed command on
 * it, a password or a thousand records among them, and a logger would print it.
 */
import { messageOf, PosternError } from '../../model/errors.ts';
import type { Connection } from './connection.ts';

/**
 * @param doing What was tried, for the message: "cannot read the head of tenant acme".
 * @returns STORE_CORRUPT where a key has the wrong type, otherwise STORE_UNAVAILABLE; as they are, a PosternError
 * and what only a programmer can have caused
 */
export function toStoreError(error: unknown, doing: string, connection: Connection): unknown {
  if (error instanceof PosternError || error instanceof TypeError || error instanceof RangeError) return error;
  const message = messageOf(error);
  // Redis 6.2 wraps what a command inside a script says in words of its own, so it need not stand at the beginning.
  if (message.includes('WRONGTYPE')) return wrongType(firstKeyOf(error), doing);
  const command = (error as { command?: { name: string } }).command?.name ?? '';
  return unavailable(doing, explain(message, connection, command), connection);
}

/** What a subscription was refused with; undefined where it was lost for another reason. */
export function toRefusal(message: string, connection: Connection): PosternError | undefined {
  if (!isRefusal(message)) return undefined;
  return unavailable('cannot follow changes', explain(message, connection, 'subscribe'), connection);
}

function unavailable(doing: string, why: string, { description }: Connection): PosternError {
  return new PosternError('STORE_UNAVAILABLE', `${description}: ${doing}: ${why}`);
}

function wrongType(key: string, doing: string): PosternError {
  return new PosternError(
    'STORE_CORRUPT',
    `${doing}: key ${key} holds another type than Postern gives it; somebody else writes there, or it is not Postern's Redis`,
    { where: key },
  );
}

function firstKeyOf(error: unknown): string {
  const command = (error as { command?: { name: string; args: readonly unknown[] } }).command;
  // A script's arguments begin with its text and the number of its keys.
  return String(command?.args[command.name.startsWith('eval') ? 2 : 0] ?? '(unknown)');
}

/**
 * Whether Redis is there and refuses the user, so that no other attempt ends better until somebody changes something.
 * What a command inside a script is refused with comes in other words.
 */
function isRefusal(message: string): boolean {
  return /^(NOAUTH|WRONGPASS|NOPERM)|ACL failure in script|executing the script can't/.test(message);
}

function explain(message: string, connection: Connection, command: string): string {
  if (message.includes('OOM ')) return `${message}: give Redis more memory, or free some`;
  if (isRefusal(message)) return `${message}: ${explainRefusal(message, connection.user, command)}`;
  if (message.includes('equal or smaller than the target stream'))
    return `${message}: somebody else wrote to the tenant's change stream; delete that key, followers then load the whole graph`;
  if (message.includes('READONLY')) return `${message}: this is a replica; name the primary`;
  if (message.startsWith('All sentinels')) {
    const last = /Last error: (.*)$/.exec(message)?.[1];
    return `no Sentinel could name a primary${last === undefined ? '' : ` (${last})`}`;
  }
  // The client's own words here speak of its options; what happened to the connection says more.
  if (message.startsWith('Reached the max retries') || message === 'Connection is closed.')
    return connection.lastError() || 'the connection was lost';
  return message;
}

function explainRefusal(message: string, user: string, command: string): string {
  if (!/^(NOAUTH|WRONGPASS)/.test(message)) {
    const what =
      command === '' ? '' : ` ${command.toUpperCase()} (the error says whether it is the command, a key or a channel)`;
    return `the Redis user "${user}" lacks the permission for${what}; give it the rules of its role in deploy/redis/users.acl`;
  }
  return `check the name and the password of the Redis user "${user}"`;
}
