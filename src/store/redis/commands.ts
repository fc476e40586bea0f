/**
 * The Lua scripts of the store, one file for each command, and how they are called.
 * Each states its KEYS and ARGV at its top. The client sends the text once for each
 * connection and the digest after that, and recovers where Redis has forgotten it.
 */
import { readFileSync } from 'node:fs';
import { entityKinds } from '../../model/entity.ts';
import type { RedisClient } from './connection.ts';

type Words = readonly (string | number)[];
type Script = (...words: Words) => Promise<unknown>;

export interface Commands {
  /** commands/commit.lua */
  commit(keys: readonly string[], args: Words): Promise<unknown>;
}

const commitLua = readLua('commit');

/** Teaches the client the commands. Once for each client. */
export function defineCommands(client: RedisClient): Commands {
  return {
    commit: define(client, 'posternCommit', commitLua, 3 + entityKinds.length),
  };
}

function define(client: RedisClient, name: string, lua: string, numberOfKeys: number) {
  client.defineCommand(name, { lua, numberOfKeys });
  const script = (client as unknown as Record<string, Script>)[name] as Script;
  return (keys: readonly string[], args: Words): Promise<unknown> => {
    if (keys.length !== numberOfKeys) throw new Error(`${name} takes ${numberOfKeys} keys, not ${keys.length}`);
    return script.call(client, ...keys, ...args);
  };
}

function readLua(name: string): string {
  return readFileSync(new URL(`./commands/${name}.lua`, import.meta.url), 'utf8');
}
