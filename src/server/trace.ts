/** Reads the trace id of a W3C traceparent header, for the decision record. Both transports use it. */

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const noTrace = '0'.repeat(32);

/** 32 hex digits, or empty where there is no trace; a malformed header is no trace, as the standard wants. */
export function traceIdOf(header: string | undefined): string {
  const id = header === undefined ? undefined : traceparent.exec(header)?.[1];
  return id === undefined || id === noTrace ? '' : id;
}
