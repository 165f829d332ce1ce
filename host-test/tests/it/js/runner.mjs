// Answers the scenarios' requests, a line of JSON each: with the package as it is, or through the fetch handler of the example.

import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [, , packageFolder, example, way] = process.argv;
const { Policy } = await import(pathToFileURL(`${packageFolder}/node.js`));
const { guard } = await import(pathToFileURL(example));

let policy;
let logs = [];

// Bytes are carried as text, each a character.
const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (array) => Array.from(array, (byte) => String.fromCharCode(byte)).join('');
const encoded = (string) => text(new TextEncoder().encode(string));

const replied = ({ status, headers, body }) => ({ status, headers: [...headers, ['content-length', String(encoded(body).length)]], body: encoded(body) });

function direct({ at, request, respond }) {
  const { chunks, trailers, ...head } = request;
  const exchange = policy.request({ ...head, body: chunks.length > 0 || trailers, at });
  let decision = exchange.decision;
  let seen = null;
  const isJudged = decision.decision === 'needBody';
  if (decision.decision !== 'reply') {
    let body = chunks.join('');
    seen = { headers: decision.headers, body };
    // In pieces as the client sent them; where trailers follow the last piece does not know that it is the last.
    const pieces = decision.watchesBody ? [...chunks.map((chunk) => [chunk, false]), ['', true]] : [];
    for (const [piece, last] of pieces) {
      decision = exchange.body(bytes(piece), last, at);
      if (decision.decision === 'reply') break;
      if (decision.body) body = text(decision.body);
      if (decision.headers) seen = { headers: decision.headers, body };
    }
    if (decision.decision === 'reply' && isJudged) seen = null;
  }
  if (decision.decision !== 'reply') decision = exchange.response({ ...respond, at });
  const { log } = exchange.finish(at);
  const answer = decision.decision === 'reply' ? replied(decision) : { ...respond, headers: decision.headers };
  return { ...answer, upstream: seen, logs: log === null ? [] : [log] };
}

async function fetching({ at, request, respond }) {
  const { method, path, host, scheme, client, headers, chunks, trailers } = request;
  if (trailers) return { unsupported: 'fetch has no trailers for requests' };
  const names = headers.map(([name]) => name.toLowerCase());
  if (new Set(names).size < names.length) return { unsupported: 'fetch joins header lines of one name' };
  if (names.includes('host')) return { unsupported: 'in fetch the URL names the host' };
  let asked;
  try {
    const url = new URL(`${scheme}://${host}${path}`);
    if (url.host !== host || url.pathname + url.search !== path) return { unsupported: 'a URL cannot say this' };
    const body = chunks.length > 0 ? new Blob(chunks.map(bytes)) : null;
    asked = new Request(url, { method, headers, body });
    for (const [name, value] of headers) {
      if (asked.headers.get(name) !== value) return { unsupported: 'fetch changes header values' };
    }
    if (body && !names.includes('content-type')) asked.headers.delete('content-type');
    if (asked.method !== method) return { unsupported: 'fetch writes this method otherwise' };
    new Response(null, respond);
  } catch (error) {
    return { unsupported: `fetch refuses it: ${error.message}` };
  }
  const joined = respond.headers.map(([name]) => name).filter((name) => name !== 'set-cookie');
  if (new Set(joined).size < joined.length) return { unsupported: 'fetch joins header lines of one name' };
  let seen = null;
  const handler = async (got) => {
    seen = { headers: [...got.headers], body: text(new Uint8Array(await got.arrayBuffer())) };
    const isBodiless = [101, 204, 205, 304].includes(respond.status);
    return new Response(isBodiless ? null : bytes(respond.body), respond);
  };
  logs = [];
  const answer = await guard(policy, handler, { client: () => client, log: (line) => logs.push(line), now: () => at })(asked);
  const body = text(new Uint8Array(await answer.arrayBuffer()));
  const framed = seen === null ? [['content-length', String(body.length)]] : [];
  return { status: answer.status, headers: [...answer.headers, ...framed], body, upstream: seen, logs };
}

function changed(change) {
  try {
    change();
    return { ok: true };
  } catch (error) {
    if (error.name !== 'PolicyError') throw error;
    return { ok: false, diagnostics: error.diagnostics };
  }
}

const ACTS = {
  open: ({ policy: source }) => changed(() => (policy = new Policy(source))),
  reload: ({ policy: source }) => changed(() => policy.reload(source)),
  exchange: way === 'fetch' ? fetching : direct,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...told } = JSON.parse(line);
  let answer;
  try {
    answer = await ACTS[act](told);
  } catch (error) {
    answer = { error: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
