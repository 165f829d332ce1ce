// The API behind a gateway: answers as a case wants it, and remembers what reached it, which is how a case proves that
// something did not.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

import { listening } from './pages.mjs';

// What every server of the WebSocket protocol appends to a client's key (RFC 6455 section 1.3).
const WEBSOCKET_KEY = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// What `message` a WebSocket gets as soon as it is open.
export const GREETING = 'welcome';

/**
 * Starts an upstream on a free loopback port.
 *
 * Its `answers` are `{status, headers: {name: value or values}, body}` by path, or a function of the request that gives one, or
 * `'hang up'`; any other path is answered with what was seen of the request. `reached` is a method a request, in order.
 */
export async function startUpstream() {
  const upstream = { answers: {}, reached: [] };
  const server = createServer(async (request, response) => {
    upstream.reached.push(request.method);
    const body = await text(request);
    let answer = upstream.answers[request.url.split('?')[0]];
    if (typeof answer === 'function') answer = answer(request);
    if (answer === 'hang up') return request.socket.destroy();
    const { status = 200, headers = {}, body: said = seen(request, body) } = answer ?? {};
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 304 ? undefined : said);
  });
  // Closed in the middle of the run, a kept connection would lose the request that is on its way.
  server.keepAliveTimeout = 120_000;
  server.on('upgrade', (request, socket) => {
    upstream.reached.push('WEBSOCKET');
    socket.on('error', () => {});
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + WEBSOCKET_KEY).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
    // One whole unmasked text frame (RFC 6455 section 5.2).
    socket.write(Buffer.concat([Buffer.from([0x81, GREETING.length]), Buffer.from(GREETING)]));
  });
  upstream.port = await listening(server);
  upstream.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return upstream;
}

async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function seen(request, body) {
  const { origin = null, cookie = null } = request.headers;
  return JSON.stringify({ method: request.method, path: request.url, origin, cookie, body });
}
