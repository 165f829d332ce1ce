// A request of the form through a policy, and all that came of it.

/** A fault in the form, for the person who fills it in. */
export class FormError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

// As a client writes text into a message: UTF-8, each byte a character.
const bytes = (text) => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');

function lines(text, field) {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new FormError(field, `\`${line.trim()}\` is no header: write \`name: value\``);
    return [bytes(line.slice(0, colon).trim()), bytes(line.slice(colon + 1).trim())];
  });
}

// Not `new URL`, which tidies: the path goes as it is written.
function target(url) {
  const parts = url.trim().match(/^(?:(https?):\/\/([^/?#\s]*))?([/?*][^#\s]*)?$/i);
  if (!parts || (!parts[2] && !parts[3])) throw new FormError('url', 'write a URL, or a path that begins with `/`');
  const path = parts[3] ?? '/';
  return {
    scheme: (parts[1] ?? 'http').toLowerCase(),
    host: bytes(parts[2] ?? 'localhost'),
    path: bytes(path.startsWith('?') ? `/${path}` : path),
  };
}

/** Sends what the form says, once; gives what every phase decided, and the explanation. */
export function send(policy, form) {
  const method = form.method.trim();
  if (method === '') throw new FormError('method', 'write a method');
  const headers = lines(form.headers, 'headers');
  const body = new TextEncoder().encode(form.body);
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  if (body.length > 0 && !isFramed) headers.push(['content-length', String(body.length)]);
  const status = Number(form.status);
  if (!Number.isInteger(status) || status < 100 || status > 599) throw new FormError('status', 'a status is a number from 100 to 599');
  const answer = { status, headers: lines(form.answer, 'answer') };
  const { scheme, host, path } = target(form.url);
  const client = form.client.trim() === '' ? undefined : bytes(form.client.trim());
  const exchange = policy.request({ method: bytes(method), path, host, scheme, client, headers, body: body.length > 0, explain: true });
  let decision = exchange.decision;
  let replaced;
  if (decision.decision !== 'reply' && decision.watchesBody) {
    decision = exchange.body(body);
    if (decision.decision === 'continue' && decision.body) replaced = new TextDecoder().decode(decision.body);
  }
  let response = decision;
  let masked = false;
  if (decision.decision !== 'reply') {
    response = exchange.response(answer);
    masked = response.decision === 'reply';
  }
  const { log, explanation } = exchange.finish();
  return {
    explanation, log, replaced,
    reply: response.decision === 'reply' ? response : undefined,
    masked,
    status: response.status ?? status,
    headers: response.headers,
    edits: response.edits ?? [],
  };
}
