// A request through a policy, phase by phase, as TypeScript sees it.

import load, { Policy, PolicyError, check, type Diagnostic, type Reply } from 'portcullis';

/** What a client is told, or `undefined` if the upstream is to be asked. */
export async function decide(text: string, request: Request, address: string): Promise<Reply | undefined> {
  await load();
  const errors: Diagnostic[] = check(text).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new PolicyError(errors);
  const policy = new Policy(text);
  const url = new URL(request.url);
  const exchange = policy.request({
    method: request.method,
    path: url.pathname + url.search,
    host: url.host,
    scheme: 'https',
    client: address,
    headers: request.headers,
    explain: true,
    at: new Date(),
  });
  const byHead = exchange.decision;
  if (byHead.decision === 'reply') return byHead;
  if (byHead.watchesBody) {
    const byBody = exchange.body(new Uint8Array(await request.arrayBuffer()), true, Date.now());
    if (byBody.decision === 'reply') return byBody;
    if (byBody.decision === 'continue') byBody.body?.byteLength;
  }
  const response = exchange.response({ status: 200, headers: [['server', 'x'], ['x-bytes', new Uint8Array([255])]] });
  // @ts-expect-error: of a reply there are no edits
  response.edits;
  const { log, explanation } = exchange.finish();
  for (const { rule, decision, why } of explanation?.rules ?? []) console.log(rule, decision, why);
  if (log !== null) console.log(log);
  // @ts-expect-error: a head has a method
  policy.request({ path: '/' });
  // @ts-expect-error: a policy is no number
  check(1);
  return response.decision === 'reply' ? response : undefined;
}
