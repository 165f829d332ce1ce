// What is asked before a request that a form could not make: CORS-preflight fetch of the Fetch standard (4.8).

const NO_ORIGIN = /Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin'/;

const granted = (title, send) => ({
  title,
  sends: [{ path: '/listed/a', reads: { json: { method: send.method ?? 'GET' } }, ...send }],
  preflights: [204],
  reached: [send.method ?? 'GET'],
});
const refused = (title, send) => ({
  title,
  sends: [{ path: '/listed/a', blocked: NO_ORIGIN, ...send }],
  preflights: [403],
  reached: [],
});

// An upstream that answers preflights itself.
const own = { headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'PUT' } };

function names(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, '1']));
}

export const cases = [
  granted('a preflight for a listed method is granted: PUT', { method: 'PUT' }),
  granted('a preflight for a listed method is granted: DELETE', { method: 'DELETE' }),
  granted('a preflight for a listed method is granted: PATCH', { method: 'PATCH' }),
  granted('a preflight for a listed method is granted: a custom one', { method: 'PURGE' }),
  granted('a preflight may ask for OPTIONS, and that OPTIONS is no preflight', { method: 'OPTIONS' }),
  refused('a preflight for a method that is not listed is refused', { method: 'COPY' }),
  refused('a method is compared with its case: patch is not PATCH', { method: 'patch' }),
  {
    title: 'browsers make PUT of put, and so it is listed',
    sends: [{ path: '/listed/a', method: 'put', reads: { json: { method: 'PUT' } } }],
    preflights: [204],
    reached: ['PUT'],
  },
  refused('a preflight of an origin that is not listed is refused', { method: 'PUT', from: 'unlisted' }),
  refused('a preflight of a domain that only ends like the wildcard is refused', { method: 'PUT', from: 'twin', path: '/subdomains/a' }),

  granted('listed headers are granted, whatever their case', { headers: { 'X-Zed': '1', 'x-alpha': '2', Authorization: 'Bearer x' } }),
  granted('a json body is granted where content-type is listed', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
  refused('a header that is not listed is refused', { headers: { 'x-alpha': '1', 'x-other': '2' } }),
  refused('content-type is not granted by itself', { path: '/simple/a', method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
  {
    title: 'a post that a form could make has no preflight',
    sends: [{ path: '/simple/a', method: 'POST', body: 'text', reads: { json: { method: 'POST', body: 'text' } } }],
    reached: ['POST'],
  },
  {
    title: 'an upload that is listened to has a preflight for POST, which is granted where no method and no header is listed',
    sends: [{ path: '/simple/a', via: 'upload', method: 'POST', body: 'text', reads: { json: { method: 'POST', body: 'text' } } }],
    preflights: [204],
    reached: ['POST'],
  },
  {
    title: 'an upload that is listened to is refused to an origin that is not listed',
    sends: [{ path: '/simple/a', from: 'unlisted', via: 'upload', method: 'POST', body: 'text', blocked: NO_ORIGIN }],
    preflights: [403],
    reached: [],
  },

  granted('any method and any header where all are allowed', { path: '/anyone/a', method: 'COPY', headers: { 'x-some': '1', 'x-other': '2' } }),
  granted('headers with a value that forms cannot send have to be asked for, and are', { path: '/anyone/a', headers: { 'content-language': 'en"', 'x-some': '1' } }),
  refused('any header does not mean authorization', { path: '/anyone/a', headers: { authorization: 'Bearer x' } }),
  granted('as many header names as any page needs, sorted by the browser', { path: '/anyone/a', headers: names(64) }),
  refused('more header names than any page needs', { path: '/anyone/a', headers: names(129) }),
  granted('any header and authorization by its name', { path: '/tokens/a', headers: { authorization: 'Bearer x', 'x-some': '1' } }),

  {
    // Without a word about it browsers remember for 5 seconds (Fetch standard 4.8).
    title: 'a preflight is remembered for as long as max_age says, and not much longer where it says nothing',
    sends: [
      { path: '/remembered/a', method: 'PUT', reads: {} },
      { path: '/listed/a', method: 'PUT', reads: {} },
      { path: '/remembered/a', method: 'PUT', seconds: 6, reads: {} },
      { path: '/listed/a', method: 'PUT', reads: {} },
    ],
    preflights: [204, 204, 204],
    reached: ['PUT', 'PUT', 'PUT', 'PUT'],
  },
  {
    title: 'a preflight is not remembered where max_age says so',
    sends: [
      { path: '/forgotten/a', method: 'PUT', reads: {} },
      { path: '/forgotten/a', method: 'PUT', reads: {} },
    ],
    preflights: [204, 204],
    reached: ['PUT', 'PUT'],
  },
  {
    title: 'a remembered preflight grants no more than was asked for',
    sends: [
      { path: '/remembered/a', method: 'PUT', reads: {} },
      { path: '/remembered/a', method: 'PUT', headers: { 'x-alpha': '1' }, reads: {} },
      { path: '/remembered/a', method: 'PUT', headers: { 'x-other': '1' }, blocked: NO_ORIGIN },
    ],
    preflights: [204, 204, 403],
    reached: ['PUT', 'PUT'],
  },
  {
    title: 'the status of a granted preflight may be another',
    sends: [{ path: '/status/a', method: 'PUT', reads: {} }],
    preflights: [200],
    reached: ['PUT'],
  },

  {
    title: 'with debug the console names the origin',
    sends: [{ path: '/debug/a', from: 'unlisted', method: 'PUT', blocked: NO_ORIGIN }],
    preflights: [200],
    reached: [],
  },
  {
    title: 'with debug the console names the method',
    sends: [{ path: '/debug/a', method: 'COPY', blocked: /Method COPY is not allowed by Access-Control-Allow-Methods/ }],
    preflights: [200],
    reached: [],
  },
  {
    title: 'with debug the console names the header',
    sends: [{ path: '/debug/a', method: 'PUT', headers: { 'x-other': '1' }, blocked: /header field x-other is not allowed by Access-Control-Allow-Headers/ }],
    preflights: [200],
    reached: [],
  },

  {
    title: 'a preflight over plain http is answered, not redirected, and what it was for is refused readably',
    policy: 'https',
    sends: [{ path: '/a', method: 'PUT', reads: { status: 403, json: { code: 'https-required' } } }],
    preflights: [204],
    reached: [],
  },
  {
    title: 'a preflight over plain http is refused where it would be over https',
    policy: 'https',
    sends: [{ path: '/a', method: 'DELETE', blocked: NO_ORIGIN }],
    preflights: [403],
    reached: [],
  },
  {
    title: 'a redirect to https may be followed by a page of a listed origin',
    policy: 'https',
    sends: [{ path: '/a', blocked: /GET https:.*ERR_SSL_PROTOCOL_ERROR/ }],
    reached: [],
  },
  {
    title: 'a redirect to https may not be followed by a page of another origin',
    policy: 'https',
    sends: [{ path: '/a', from: 'unlisted', blocked: /has been blocked by CORS policy: No 'Access-Control-Allow-Origin'/ }],
    reached: [],
  },
  {
    title: 'without the section the upstream answers preflights itself',
    answers: { '/off/a': own },
    sends: [{ path: '/off/a', from: 'evil', method: 'PUT', reads: {} }],
    preflights: [200],
    reached: ['OPTIONS', 'PUT'],
  },
  {
    title: 'in report the upstream answers preflights itself',
    answers: { '/report/a': own },
    sends: [{ path: '/report/a', from: 'evil', method: 'PUT', reads: {} }],
    preflights: [200],
    reached: ['OPTIONS', 'PUT'],
  },
];
