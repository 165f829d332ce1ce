// A policy around any fetch handler: what Deno, Bun, Workers, service workers and many frameworks call
// `(request) => response`.

/**
 * Gives a handler that answers in the policy's name where that refuses, and calls `handler` with what it lets through.
 *
 * @param {import('portcullis').Policy} policy
 * @param {(request: Request, ...rest: any[]) => Response | Promise<Response>} handler
 * @param {{client?: (request: Request, ...rest: any[]) => string | undefined, log?: (line: string) => void,
 *   now?: () => number}} options `client` tells the address at the other end of the connection: Deno has it in
 *   `info.remoteAddr.hostname`, Workers in the header `cf-connecting-ip`
 */
export function guard(policy, handler, { client = () => undefined, log = console.log, now = Date.now } = {}) {
  return async (request, ...rest) => {
    const url = new URL(request.url);
    const exchange = policy.request({
      method: request.method,
      path: url.pathname + url.search,
      host: url.host,
      scheme: url.protocol.slice(0, -1),
      client: client(request, ...rest),
      headers: request.headers,
      body: request.body !== null,
      at: now(),
    });
    const judged = await judge(exchange, request, now);
    let response;
    if (judged instanceof Request) {
      const answer = await handler(judged, ...rest);
      const decision = exchange.response({ status: answer.status, headers: answer.headers, at: now() });
      response = decision.decision === 'reply' ? replied(decision) : changed(answer, decision.headers);
    } else {
      response = replied(judged);
    }
    const { log: line } = exchange.finish(now());
    if (line !== null) log(line);
    return response;
  };
}

// The request that goes on, or the reply to it. A body that is looked at is held until its end: what breaks the policy
// reaches the handler with none of its bytes.
async function judge(exchange, request, now) {
  let decision = exchange.decision;
  if (decision.decision === 'reply') return decision;
  let { headers } = decision;
  let { body } = request;
  if (body !== null && decision.watchesBody) {
    const pieces = [];
    for await (const piece of body) {
      pieces.push(piece);
      decision = exchange.body(piece, false, now());
      if (decision.decision === 'reply') return decision;
    }
    decision = exchange.body(new Uint8Array(), true, now());
    if (decision.decision === 'reply') return decision;
    headers = decision.headers;
    body = decision.body ?? new Blob(pieces);
  } else if (decision.decision === 'needBody') {
    decision = exchange.body(new Uint8Array(), true, now());
    if (decision.decision === 'reply') return decision;
    headers = decision.headers;
  }
  return new Request(request.url, {
    method: request.method, headers: new Headers(headers), body, duplex: 'half', redirect: 'manual', signal: request.signal,
  });
}

const replied = ({ status, headers, body }) => new Response(body === '' ? null : body, { status, headers });

const changed = (response, headers) => new Response(response.body, { status: response.status, headers });
