// Which origins may read: the CORS check of the Fetch standard (4.9), which compares bytes.

const NO_ORIGIN = /No 'Access-Control-Allow-Origin' header is present/;

const reading = (path, from, title) => ({ title, sends: [{ path, from, reads: {} }], reached: ['GET'] });
const blocked = (path, from, title) => ({ title, sends: [{ path, from, blocked: NO_ORIGIN }], reached: ['GET'] });

export const cases = [
  reading('/listed/a', 'listed', 'a listed origin reads'),
  reading('/listed/a', 'listed too', 'a second listed origin reads'),
  blocked('/listed/a', 'unlisted', 'an origin that differs in its port does not read, and what has no preflight is forwarded'),
  blocked('/listed/a', 'evil', 'an origin that is not listed does not read'),
  blocked('/listed/a', 'base', 'the same port under another name does not read'),

  reading('/subdomains/a', 'sub', 'a label before a wildcard domain reads'),
  reading('/subdomains/a', 'sub of sub', 'two labels before a wildcard domain read'),
  blocked('/subdomains/a', 'base', 'the domain of a wildcard itself does not read'),
  blocked('/subdomains/a', 'twin', 'a domain that only ends like the wildcard does not read'),
  blocked('/subdomains/a', 'lookalike', 'a domain that only begins like the wildcard does not read'),
  reading('/ports/a', 'listed too', 'any port of a host with a wildcard port reads'),
  blocked('/ports/a', 'listed', 'another host than that with the wildcard port does not read'),

  reading('/anyone/a', 'evil', 'any origin reads what is for anyone'),
  {
    title: 'the null origin of a sandboxed frame is in no list',
    sends: [{ path: '/listed/a', sandboxed: true, blocked: NO_ORIGIN }],
    reached: ['GET'],
  },
  {
    title: 'the null origin of a sandboxed frame gets no preflight past a list',
    sends: [{ path: '/listed/a', sandboxed: true, method: 'PUT', blocked: NO_ORIGIN }],
    preflights: [403],
    reached: [],
  },
  {
    title: 'the null origin of a sandboxed frame reads what is for anyone',
    sends: [{ path: '/anyone/a', sandboxed: true, reads: { json: { origin: 'null' } } }],
    reached: ['GET'],
  },
  {
    title: 'the null origin of a sandboxed frame gets its preflight where anyone may',
    sends: [{ path: '/anyone/a', sandboxed: true, method: 'PUT', reads: { json: { origin: 'null', method: 'PUT' } } }],
    preflights: [204],
    reached: ['PUT'],
  },
];
