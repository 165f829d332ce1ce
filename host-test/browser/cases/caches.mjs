// The browser's own cache, which every page of a site shares: CORS protocol and HTTP caches of the Fetch standard (3.3.5).

const NO_ORIGIN = /No 'Access-Control-Allow-Origin' header is present/;
// Style sheets are what browsers let a page have without CORS; they keep json from it, and do not cache that.
const KEPT = { 'content-type': 'text/css', 'cache-control': 'max-age=600' };

// A server that answers as is usual: to whom asks with an origin, that origin, and no word to caches.
const usual = ({ headers: { origin } }) => ({ headers: origin ? { ...KEPT, 'access-control-allow-origin': origin } : KEPT });

const poisoned = [
  { path: '/listed/a', mode: 'no-cors', opaque: true },
  { path: '/listed/a' },
];

export const cases = [
  {
    title: 'what was fetched without CORS is not what a page gets that asks with it',
    answers: { '/listed/a': { headers: KEPT } },
    sends: [poisoned[0], { ...poisoned[1], reads: {} }],
    reached: ['GET', 'GET'],
  },
  {
    title: 'what was fetched without CORS is what a page gets where an upstream without the filter says nothing to caches (control)',
    answers: { '/listed/a': usual },
    sends: [{ ...poisoned[0], direct: true }, { ...poisoned[1], direct: true, blocked: NO_ORIGIN }],
    reached: ['GET'],
  },
  {
    title: "an upstream's own Vary is kept, and what was fetched without CORS is not used",
    answers: { '/listed/a': { headers: { ...KEPT, vary: 'accept-language' } } },
    sends: [poisoned[0], { ...poisoned[1], reads: {} }],
    reached: ['GET', 'GET'],
  },
  {
    title: "a policy's own Vary is kept, and what was fetched without CORS is not used",
    answers: { '/set/a': { headers: KEPT } },
    sends: [{ path: '/set/a', mode: 'no-cors', opaque: true }, { path: '/set/a', reads: {} }],
    reached: ['GET', 'GET'],
  },
  {
    title: 'an answer that the gateway may compress is not used for a page that asks with CORS',
    answers: { '/listed/a': { headers: KEPT, body: 'a {}\n'.repeat(1000) } },
    sends: [poisoned[0], { ...poisoned[1], reads: {} }],
    reached: ['GET', 'GET'],
  },
  {
    title: 'what one listed origin was given another of the same site does not get out of the cache',
    answers: { '/subdomains/a': { headers: KEPT } },
    sends: [
      { path: '/subdomains/a', from: 'sub', reads: {} },
      { path: '/subdomains/a', from: 'sub of sub', reads: {} },
    ],
    reached: ['GET', 'GET'],
  },
  {
    title: 'what one listed origin was given another of the same site gets out of the cache of an upstream without the filter (control)',
    answers: { '/subdomains/a': usual },
    sends: [
      { path: '/subdomains/a', direct: true, from: 'sub', reads: {} },
      { path: '/subdomains/a', direct: true, from: 'sub of sub', blocked: /that is not equal to the supplied origin/ },
    ],
    reached: ['GET'],
  },
  {
    title: 'what is for anyone comes out of the cache for everyone',
    answers: { '/anyone/a': { headers: KEPT } },
    sends: [
      { path: '/anyone/a', mode: 'no-cors', from: 'sub', opaque: true },
      { path: '/anyone/a', from: 'sub', reads: {} },
      { path: '/anyone/a', from: 'sub of sub', reads: {} },
    ],
    reached: ['GET'],
  },
  {
    title: 'one page gets out of the cache what it was given',
    answers: { '/listed/a': { headers: KEPT } },
    sends: [{ path: '/listed/a', reads: {} }, { path: '/listed/a', reads: {} }],
    reached: ['GET'],
  },
  {
    title: 'an answer that has not changed is readable again',
    answers: {
      '/listed/a': ({ headers }) => {
        const validator = { etag: '"1"', 'cache-control': 'no-cache' };
        return headers['if-none-match'] ? { status: 304, headers: validator } : { headers: validator };
      },
    },
    sends: [{ path: '/listed/a', reads: {} }, { path: '/listed/a', reads: {} }],
    reached: ['GET', 'GET'],
  },
];
