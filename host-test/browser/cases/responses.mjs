// What a page finds in an answer: whose CORS headers it has (Fetch standard 3.3.3), what it shows of the rest, and errors.

const NO_ORIGIN = /No 'Access-Control-Allow-Origin' header is present/;

const json = (value) => JSON.stringify(value);
const error = (title, send, status, code, more = {}) => ({
  title: `a page can read why: ${title}`,
  sends: [{ ...send, reads: { status, json: { status, code } } }],
  reached: [],
  ...more,
});

const EVERYTHING = {
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-allow-methods': '*',
  'access-control-allow-headers': '*',
  'access-control-expose-headers': 'x-hidden',
};

export const cases = [
  {
    title: 'exposed headers are readable, others are not',
    answers: { '/listed/a': { headers: { 'x-shown': 'yes', 'x-hidden': 'no', 'set-cookie': 'a=b', 'content-language': 'en' } } },
    sends: [{ path: '/listed/a', reads: { headers: { 'x-shown': 'yes', 'x-hidden': null, 'set-cookie': null, 'content-language': 'en' } } }],
    reached: ['GET'],
  },
  {
    title: 'where all headers are exposed all but set-cookie are readable',
    answers: { '/anyone/a': { headers: { 'x-shown': 'yes', 'x-hidden': 'too', 'set-cookie': 'a=b' } } },
    sends: [{ path: '/anyone/a', reads: { headers: { 'x-shown': 'yes', 'x-hidden': 'too', 'set-cookie': null } } }],
    reached: ['GET'],
  },
  {
    title: "the upstream's own CORS headers are replaced for a listed origin",
    answers: { '/members/a': { headers: { ...EVERYTHING, 'x-hidden': 'no', 'x-shown': 'yes' } } },
    sends: [{ path: '/members/a', credentials: 'include', reads: { headers: { 'x-shown': 'yes', 'x-hidden': null } } }],
    reached: ['GET'],
  },
  {
    title: "the upstream's own CORS headers do not reach an origin that is not listed",
    answers: { '/members/a': { headers: EVERYTHING } },
    sends: [{ path: '/members/a', from: 'evil', blocked: NO_ORIGIN }],
    reached: ['GET'],
  },
  {
    title: "an upstream that gives an origin back does not reach one that is not listed, cookies and all",
    cookie: true,
    answers: { '/members/a': ({ headers: { origin } }) => ({ headers: { ...EVERYTHING, 'access-control-allow-origin': origin } }) },
    sends: [{ path: '/members/a', from: 'unlisted', credentials: 'include', blocked: NO_ORIGIN }],
    reached: ['GET'],
  },
  {
    title: 'two lines of the upstream become one',
    answers: { '/listed/a': { headers: { 'access-control-allow-origin': ['https://one.test', 'https://two.test'] } } },
    sends: [{ path: '/listed/a', reads: {} }],
    reached: ['GET'],
  },
  {
    title: 'two lines of an upstream without the filter are the failure that they seem to be (control)',
    answers: { '/listed/a': ({ headers: { origin } }) => ({ headers: { 'access-control-allow-origin': [origin, origin] } }) },
    sends: [{ path: '/listed/a', direct: true, blocked: /contains multiple values/ }],
    reached: ['GET'],
  },
  {
    title: 'without the section the upstream speaks for itself',
    answers: { '/off/a': { headers: { 'access-control-allow-origin': '*' } }, '/off/b': {} },
    sends: [
      { path: '/off/a', from: 'evil', reads: {} },
      { path: '/off/b', blocked: NO_ORIGIN },
    ],
    reached: ['GET', 'GET'],
  },
  {
    title: 'in report the upstream speaks for itself, and nobody is refused',
    answers: { '/report/a': { headers: { 'access-control-allow-origin': '*' } }, '/report/b': {} },
    sends: [
      { path: '/report/a', from: 'evil', reads: {} },
      { path: '/report/b', blocked: NO_ORIGIN },
    ],
    reached: ['GET', 'GET'],
  },
  {
    title: 'a redirect of the upstream within the API is followed',
    answers: { '/listed/a': { status: 307, headers: { location: '/listed/b' } } },
    sends: [{ path: '/listed/a', reads: { json: { path: '/listed/b' } } }],
    reached: ['GET', 'GET'],
  },
  {
    title: "a page can read the upstream's own error",
    answers: { '/listed/a': { status: 500, body: json({ code: 'broken' }) } },
    sends: [{ path: '/listed/a', reads: { status: 500, json: { code: 'broken' } } }],
    reached: ['GET'],
  },
  {
    title: 'a page can read that the upstream does not answer',
    answers: { '/listed/a': 'hang up' },
    sends: [{ path: '/listed/a', reads: { status: [502, 503] } }],
    reached: ['GET'],
  },

  error('nothing is there', { path: '/nowhere' }, 404, 'route-not-found'),
  error('nothing is there, for a method that was asked for first', { path: '/nowhere', method: 'PUT' }, 404, 'route-not-found', { preflights: [204] }),
  error('the path does not take the method', { path: '/read-only/a', method: 'POST', body: 'text' }, 405, 'route-method-not-allowed'),
  error('the method is let in nowhere', { path: '/locked/a', method: 'LOCK' }, 405, 'method-not-allowed', { preflights: [204] }),
  error('the path is ambiguous', { path: '/listed/a%2Fb' }, 400, 'path-ambiguous'),
  error('the path is too long', { path: `/listed/${'a'.repeat(1024)}` }, 414, 'path-too-long'),
  error('the query has too much in it', { path: '/listed/a?1&2&3&4' }, 400, 'query-too-many'),
  error('the body is too large', { path: '/listed/a', method: 'POST', body: 'a'.repeat(2048) }, 413, 'body-too-large'),
  error('the host is not served here', { path: '/listed/a', host: 'stranger.test' }, 421, 'host-not-allowed'),
  error('the error has cookies', { path: '/members/a%2Fb', credentials: 'include' }, 400, 'path-ambiguous', { cookie: true }),
  error('anyone reads errors of what is for anyone', { path: '/anyone/a%2Fb', from: 'evil' }, 400, 'path-ambiguous'),
  {
    title: 'an error is not readable by an origin that is not listed',
    sends: [{ path: '/nowhere', from: 'unlisted', blocked: NO_ORIGIN }],
    reached: [],
  },
];
