/**
 * What Redis and its client throw, as the one error type. The original is not
 * kept as the cause: the client hangs every argument of the failed command on
 * it, a password or a thousand records among them, and a logger would print it.
 */
import { messageOf, PosternError } from '../../model/errors.ts';
import type { Connection } from './connection.ts';
import { connectionClosed } from './connection-error.ts';
import { commandOf, explainRefusal, isRefusal } from './refusal.ts';

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
  return unavailable(doing, explain(message, connection, commandOf(error)), connection);
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

function explain(message: string, connection: Connection, command: string): string {
  if (message.includes('OOM ')) return `${message}: give Redis more memory, or free some`;
  if (isRefusal(message)) return explainRefusal(message, connection.user, command);
  if (message.includes('equal or smaller than the target stream'))
    return `${message}: somebody else wrote to the tenant's change stream; delete that key, followers then load the whole graph`;
  if (message.includes('READONLY')) return `${message}: this is a replica; name the primary`;
  // The client's own words here speak of its options; what happened to the connection says more.
  if (message.startsWith('Reached the max retries') || message === connectionClosed)
    return connection.lastError() || 'the connection was lost';
  return message;
}
