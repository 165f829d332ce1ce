// Cookies: the credentials half of the CORS check of the Fetch standard (4.9).

const include = { credentials: 'include' };
const WILDCARD = /must not be the wildcard '\*' when the request's credentials mode is 'include'/;
const NO_CREDENTIALS = /'Access-Control-Allow-Credentials' header in the response is '' which must be 'true'/;
const NO_ORIGIN = /No 'Access-Control-Allow-Origin' header is present/;

export const cases = [
  {
    title: 'a cookie goes along and the answer is readable where credentials are allowed',
    cookie: true,
    sends: [{ path: '/members/a', ...include, reads: { json: { cookie: 'session=secret' } } }],
    reached: ['GET'],
  },
  {
    title: 'a cookie goes along after a preflight, which itself has none',
    cookie: true,
    sends: [{ path: '/members/a', ...include, method: 'PUT', headers: { 'x-alpha': '1' }, reads: { json: { method: 'PUT', cookie: 'session=secret' } } }],
    preflights: [204],
    reached: ['PUT'],
  },
  {
    title: 'without credentials asked for no cookie goes along',
    cookie: true,
    sends: [{ path: '/members/a', reads: { json: { cookie: null } } }],
    reached: ['GET'],
  },
  {
    title: 'an answer to a request with cookies is not readable where credentials are not allowed',
    cookie: true,
    sends: [{ path: '/listed/a', ...include, blocked: NO_CREDENTIALS }],
    reached: ['GET'],
  },
  {
    title: 'a preflight for a request with cookies fails where credentials are not allowed',
    cookie: true,
    sends: [{ path: '/listed/a', ...include, method: 'PUT', blocked: NO_CREDENTIALS }],
    preflights: [204],
    reached: [],
  },
  {
    title: 'an answer to a request with cookies is not readable by anyone',
    cookie: true,
    sends: [{ path: '/anyone/a', ...include, blocked: WILDCARD }],
    reached: ['GET'],
  },
  {
    title: 'a preflight for a request with cookies fails where anyone may read',
    cookie: true,
    sends: [{ path: '/anyone/a', ...include, method: 'PUT', blocked: WILDCARD }],
    preflights: [204],
    reached: [],
  },
  {
    title: 'credentials are not for origins that are not listed',
    cookie: true,
    sends: [{ path: '/members/a', from: 'unlisted', ...include, blocked: NO_ORIGIN }],
    reached: ['GET'],
  },
  {
    title: 'with credentials any method and any header are granted by their names',
    cookie: true,
    sends: [{ path: '/members-any/a', ...include, method: 'PURGE', headers: { 'x-some': '1' }, reads: { json: { method: 'PURGE', cookie: 'session=secret' } } }],
    preflights: [204],
    reached: ['PURGE'],
  },
  {
    title: 'with credentials any header does not mean authorization',
    sends: [{ path: '/members-any/a', ...include, headers: { authorization: 'Bearer x' }, blocked: NO_ORIGIN }],
    preflights: [403],
    reached: [],
  },
];
