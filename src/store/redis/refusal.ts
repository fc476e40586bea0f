/**
 * What it means that Redis is there and refuses a user, in words that say what to do. Called for commands
 * (errors.ts) and for connections (connection.ts), which are refused in the same words.
 */

/**
 * Whether Redis refuses the user, so that no other attempt ends better until somebody changes something.
 * What a command inside a script is refused with comes in other words.
 */
export function isRefusal(message: string): boolean {
  return /^(NOAUTH|WRONGPASS|NOPERM)|ACL failure in script|executing the script can't/.test(message);
}

/** @param command Its name; empty where it is not known. */
export function explainRefusal(message: string, user: string, command: string): string {
  if (/^(NOAUTH|WRONGPASS)/.test(message))
    return `${message.trim()}: check the name and the password of the Redis user "${user}"`;
  const what =
    command === '' ? '' : ` ${command.toUpperCase()} (the error says whether it is the command, a key or a channel)`;
  return `${message}: the Redis user "${user}" lacks the permission for${what}; give it the rules of its role in deploy/redis/users.acl`;
}

/** The name of the command that an error is the answer to; empty where it is none. */
export function commandOf(error: unknown): string {
  return (error as { command?: { name: string } }).command?.name ?? '';
}
