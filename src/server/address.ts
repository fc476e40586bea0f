/** Addresses that a server listens on: "host:port", and what to say when one cannot be had. */
import { PosternError } from '../model/errors.ts';

export interface HostPort {
  /** Name or IP address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** "127.0.0.1:7678", "[::1]:7678". */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The error for an address that cannot be bound.
 * @param option The option that names the address, such as "grpc-address".
 */
export function bindError(address: string, option: string, cause: unknown): PosternError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const why = /EADDRINUSE/.test(text)
    ? 'is in use by another process; stop that one, or choose another'
    : /EADDRNOTAVAIL|ENOTFOUND|EAI_/.test(text)
      ? 'is not an address of this machine; choose another'
      : /EACCES|EPERM/.test(text)
        ? 'is not allowed to this user; choose another'
        : `cannot be listened on (${text}); choose another`;
  return new PosternError('INVALID_OPTION', `${address} ${why} with --${option}`, { option }, cause);
}
