// Whatever is passed to the package, it throws errors of JavaScript and goes on: there is no trap of the engine.

import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';

const { Policy, check } = await import(pathToFileURL(`${process.argv[2]}/node.js`));

const thrower = new Proxy({}, { get() { throw new Error('mine'); }, ownKeys() { throw new Error('mine'); } });
const reentrant = { get path() { engine.request({ method: 'GET', path: '/' }).finish(); return '/'; }, method: 'GET' };
const cyclic = {};
cyclic.self = cyclic;
const nested = (depth) => { let value = []; for (let at = 0; at < depth; at += 1) value = [value]; return value; };
const VALUES = [
  undefined, null, true, false, 0, -1, 1.5, NaN, Infinity, 1e300, 10n, '', ' ', 'a', '/', '\0', '\r\n', '\ud800', '☃', 'ÿ', 'a'.repeat(100_000),
  Symbol('s'), () => 1, [], [[]], [[1, 2]], [['a']], [['a', 'b', 'c']], [['', '']], [[':path', '/x']], [['\n', '\0']], {}, thrower, cyclic, nested(50), nested(10_000),
  new Uint8Array([0, 255, 10]), new Uint8Array(200_000), new Float64Array(3), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Date(NaN), new Date(0),
  new Date(8.64e15), new Map([['a', 'b']]), new Set(['ab']), new Headers({ a: 'b' }), new Proxy([], { get() { throw new Error('mine'); } }),
  { *[Symbol.iterator]() { for (;;) yield ['a', 'b']; } }, 'version: 1', '{"version": 1}', '[', '\t', '&a [*a]', '- '.repeat(10_000), '{'.repeat(10_000),
];

const POLICY = `version: 1
name: hostile
request: {max_headers: 50}
cors: {origins: ["https://a.example"]}
rate_limits: [{name: all, quota: 1000000/1s}]
routes:
  - {name: posts, path: /posts, validate: {body: {schema: {type: object}}}, profanity: {action: mask, fields: [/text]}}
`;
const engine = new Policy(POLICY);
let calls = 0;

function tries(call) {
  calls += 1;
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof Error, `threw ${typeof error} ${String(error)}`);
    assert.ok(!(error instanceof WebAssembly.RuntimeError), error.stack);
    assert.doesNotMatch(error.message, /recursive use|null pointer|unreachable/, error.stack);
  }
}

const members = ['method', 'path', 'host', 'scheme', 'client', 'headers', 'body', 'explain', 'at'];
for (const value of VALUES) {
  tries(() => check(value));
  tries(() => new Policy(value));
  tries(() => engine.reload(value));
  engine.reload(POLICY);
  tries(() => engine.request(value));
  for (const member of members) {
    // A time that far ahead would be kept: one that only goes forward is what limits need.
    const policy = member === 'at' ? new Policy(POLICY) : engine;
    for (const path of ['/', '/posts']) {
      tries(() => {
        const exchange = policy.request({ method: 'POST', path, headers: [['content-type', 'application/json']], [member]: value });
        tries(() => exchange.body('{"text": "x"}'));
        tries(() => exchange.body('{"text": "x"}'));
        tries(() => exchange.response({ status: 200 }));
        exchange.finish();
        tries(() => exchange.finish());
        tries(() => exchange.body(''));
        tries(() => exchange.response({ status: 200 }));
      });
    }
  }
  const posted = () => engine.request({ method: 'POST', path: '/posts', body: true, headers: [['content-type', 'application/json']] });
  tries(() => posted().body(value));
  tries(() => posted().body('{}', value));
  tries(() => posted().body('{}', true, value));
  tries(() => posted().response(value));
  tries(() => posted().response({ status: value }));
  tries(() => posted().response({ status: 200, headers: value }));
  tries(() => posted().finish(value));
}
tries(() => engine.request(reentrant).finish());
// It still decides, and so often that what was begun is not kept.
for (let times = 0; times < 20_000; times += 1) {
  const exchange = engine.request({ method: 'POST', path: '/posts', body: true, headers: [['content-type', 'application/json']] });
  const { decision, body } = exchange.body('{"text": "what a shit"}');
  if (times === 0) assert.deepEqual([decision, new TextDecoder().decode(body)], ['continue', '{"text": "what a ****"}']);
  exchange.finish();
}
console.log(`${calls} calls`);
process.exit(0);
