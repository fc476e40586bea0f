/** Lines to try against a sidecar that has just started, for people; printed where --hints asks for them. */
import { decisionLogKind } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { formatAddress } from '../server/address.ts';
import type { Servers } from '../server/start.ts';

/** The questions are those of the quickstart example; they are well formed against any policy. */
export function formatHints(servers: Servers, options: ServeOptions): string {
  const lines = ['', 'Try:'];
  const { httpAddress, grpcAddress } = servers;
  const question = '{"subject":"user:alice","action":"read","object":"doc:roadmap"}';
  if (httpAddress !== undefined) {
    const url = `http://${formatAddress(httpAddress)}/postern.v1.DecisionService/Check`;
    lines.push(`  curl -s ${url} -H 'content-type: application/json' -d '${question}'`);
  }
  if (grpcAddress !== undefined) {
    const address = formatAddress(grpcAddress);
    const flag = address === '127.0.0.1:7678' ? '' : ` --address ${address}`;
    lines.push(`  npx postern check user:alice write doc:roadmap${flag}`);
    lines.push(`  npx postern explain user:mallory read doc:roadmap${flag}`);
  }
  if (decisionLogKind(options) === 'file') lines.push(`  npx postern tail --dir ${options.decisionLogDir}`);
  return `${lines.join('\n')}\n\n`;
}
