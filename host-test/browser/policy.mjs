// The policies of the cases. One route a CORS section: a case picks its policy by its path.

/** What each gateway is given, by the name that cases call it. */
export function policies({ port, origins }) {
  return { main: main(origins), https: https(port, origins) };
}

function main(origins) {
  return {
    version: 1,
    name: 'browser',
    client: { forwarded: 'host' },
    request: {
      hosts: ['127.0.0.1'],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE', 'COPY'],
      max_path_bytes: '1KiB',
      max_query_params: 3,
      max_body_bytes: '1KiB',
    },
    cors: {
      origins: [origins.listed, origins['listed too']],
      methods: ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE'],
      request_headers: ['content-type', 'x-alpha', 'x-zed', 'authorization'],
      expose_headers: ['x-shown'],
    },
    routes: [
      { name: 'listed', path: '/listed/*' },
      { name: 'read-only', path: '/read-only/*', methods: ['GET'] },
      { name: 'locked', path: '/locked/*', cors: { methods: ['LOCK'] } },
      { name: 'simple', path: '/simple/*', cors: { methods: null, request_headers: null, expose_headers: null } },
      { name: 'members', path: '/members/*', cors: { credentials: true } },
      { name: 'members-any', path: '/members-any/*', cors: { credentials: true, methods: ['*'], request_headers: ['*'] } },
      { name: 'anyone', path: '/anyone/*', cors: { origins: ['*'], methods: ['*'], request_headers: ['*'], expose_headers: ['*'] } },
      { name: 'tokens', path: '/tokens/*', cors: { origins: ['*'], methods: ['*'], request_headers: ['*', 'authorization'] } },
      { name: 'subdomains', path: '/subdomains/*', cors: { origins: ['http://*.app.test:*'] } },
      { name: 'ports', path: '/ports/*', cors: { origins: ['http://localhost:*'] } },
      { name: 'remembered', path: '/remembered/*', cors: { max_age: '10m' } },
      { name: 'forgotten', path: '/forgotten/*', cors: { max_age: -1 } },
      { name: 'status', path: '/status/*', cors: { preflight_status: 200 } },
      { name: 'debug', path: '/debug/*', cors: { debug: true } },
      { name: 'reject', path: '/reject/*', cors: { on_disallowed: 'reject' } },
      { name: 'report', path: '/report/*', cors: { mode: 'report', on_disallowed: 'reject' } },
      { name: 'set', path: '/set/*', headers: { preset: 'none', set: { vary: 'accept' } } },
      { name: 'off', path: '/off/*', cors: { mode: 'off' } },
    ],
    unmatched: 'reject',
  };
}

function https(port, origins) {
  return {
    version: 1,
    name: 'browser-https',
    client: { forwarded: 'host' },
    // Where the redirect leads there is no https: that the browser gets as far as that shows that it followed.
    request: { https: { redirect: 308, port } },
    cors: { origins: [origins.listed], methods: ['PUT'] },
  };
}
