// The web sites of the cases: empty pages on two loopback ports, under names that only the browser resolves.

import { createServer } from 'node:http';

// What Chromium is told of names, as one of its arguments.
export const NAMES = '--host-resolver-rules=MAP *.test 127.0.0.1, MAP app.test 127.0.0.1, MAP evilapp.test 127.0.0.1';

/** Starts a server on a free loopback port, and gives the port. */
export function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

/**
 * Starts the sites. `origins` has each by the name that cases and policies call it; the page `/no-referrer` of each
 * sends no referrer.
 */
export async function startPages() {
  const servers = [createServer(page), createServer(page)];
  const [port, other] = await Promise.all(servers.map(listening));
  const origins = {
    listed: `http://127.0.0.1:${port}`,
    'listed too': `http://localhost:${other}`,
    unlisted: `http://127.0.0.1:${other}`,
    base: `http://app.test:${port}`,
    sub: `http://shop.app.test:${port}`,
    'sub of sub': `http://eu.shop.app.test:${port}`,
    twin: `http://evilapp.test:${port}`,
    lookalike: `http://shop.app.test.evil.test:${port}`,
    evil: `http://evil.test:${port}`,
  };
  const stop = () => servers.forEach((server) => {
    server.closeAllConnections();
    server.close();
  });
  return { port, origins, stop };
}

function page(request, response) {
  const headers = { 'content-type': 'text/html', 'cache-control': 'no-store' };
  if (request.url === '/no-referrer') headers['referrer-policy'] = 'no-referrer';
  response.writeHead(200, headers);
  // An icon of its own: otherwise the browser asks for one.
  response.end('<!doctype html><link rel="icon" href="data:,"><title>page</title>');
}
