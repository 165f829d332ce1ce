// The package's face: values of JavaScript in and out, and between them the engine, which takes text and bytes.

import load, { Engine, Exchange as Phases, check as judge, initSync } from './engine.js';

export { load as default, initSync };

const MOST_LINES = 10_000;

/** Everything that is wrong with a policy. */
export function check(policy) {
  return found(judge(written(policy)), policy);
}

/** What is thrown for a policy that a gateway would refuse. */
export class PolicyError extends Error {
  constructor(diagnostics) {
    const first = diagnostics.find(({ severity }) => severity === 'error');
    super(`the policy is invalid: ${first?.message}`);
    this.name = 'PolicyError';
    this.diagnostics = diagnostics;
  }
}

/** A policy that decides. */
export class Policy {
  #engine;
  #about;
  #isOpen = false;
  #latest = 0;

  constructor(policy) {
    this.#take(policy, (text) => new Engine(text));
  }

  get name() {
    return this.#about.name;
  }

  get hash() {
    return this.#about.hash;
  }

  get diagnostics() {
    return this.#about.diagnostics;
  }

  reload(policy) {
    this.#take(policy, (text) => this.#engine.succeed(text));
  }

  request(head) {
    const lines = [[':method', byteString(head.method, '`method`')], [':path', byteString(head.path, '`path`')]];
    if (head.host != null) lines.push([':authority', byteString(head.host, '`host`')]);
    lines.push([':scheme', byteString(head.scheme ?? 'http', '`scheme`')], ...fields(head.headers));
    const client = head.client == null ? null : byteString(head.client, '`client`');
    const body = head.body == null ? null : Boolean(head.body);
    const turn = (at) => (this.#latest = Math.max(this.#latest, milliseconds(at)));
    turn(head.at);
    // Not before: some runtimes have no randomness to give while a module is loaded.
    if (!this.#isOpen) {
      saying(() => this.#engine.open(random()));
      this.#isOpen = true;
    }
    const phases = new Phases(this.#engine, random());
    phases.turn(this.#latest);
    return new Exchange(phases, turn, lines, { client, body, why: head.explain ? true : null });
  }

  #take(policy, make) {
    const text = written(policy);
    try {
      this.#engine = make(text);
    } catch (error) {
      // A text is the engine's own word; anything else went wrong in other ways.
      throw typeof error === 'string' ? new PolicyError(found(error, policy)) : error;
    }
    const { diagnostics, ...about } = JSON.parse(this.#engine.about());
    this.#about = { ...about, diagnostics: placed(diagnostics, policy) };
    this.#isOpen = false;
  }
}

/** One request and its response. */
class Exchange {
  #phases;
  #turn;
  #decision;
  #lines;
  #stale;
  #judgesBody;
  #bodyEnded = false;
  #requestChanges = [];
  #responseChanges = [];

  constructor(phases, turn, lines, asked) {
    const head = JSON.stringify({ lines: coded(lines), ...asked });
    const [decision, need, stale] = JSON.parse(saying(() => phases.request(head)));
    this.#phases = phases;
    this.#turn = turn;
    this.#judgesBody = need === 'Whole';
    this.#stale = stale;
    if (decision.decision === 'reply') {
      this.#decision = answer(decision);
      return;
    }
    const going = this.#go(lines, decision.edits);
    this.#decision = { ...going, decision: this.#judgesBody ? 'needBody' : 'continue', watchesBody: need !== 'Nothing' };
  }

  get decision() {
    return this.#decision;
  }

  body(piece, last = true, at) {
    const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('a body is neither a string nor a Uint8Array');
    const phases = this.#at(at);
    if (this.#decision.decision === 'reply') return this.#decision;
    if (this.#bodyEnded) throw new Error('the body has ended already');
    this.#bodyEnded = Boolean(last);
    const [decision, replacement] = JSON.parse(phases.body(bytes, this.#bodyEnded));
    if (decision.decision === 'reply') return (this.#decision = answer(decision));
    if (this.#judgesBody && !this.#bodyEnded) return { decision: 'needBody' };
    const edits = decision.edits;
    if (replacement == null) return this.#go(this.#lines, edits);
    edits.push(...this.#stale.map((name) => ['remove', name]), ['add', 'content-length', String(replacement.length)]);
    return { ...this.#go(this.#lines, edits), body: unpacked(replacement) };
  }

  response(head) {
    const { status } = head;
    if (!Number.isInteger(status) || status < 100 || status > 999) throw new TypeError('`status` is no HTTP status');
    const lines = [[':status', String(status)], ...fields(head.headers)];
    const phases = this.#at(head.at);
    if (this.#decision.decision === 'reply') return this.#decision;
    const decision = JSON.parse(saying(() => phases.response(JSON.stringify({ lines: coded(lines) }))));
    if (decision.decision === 'reply') return (this.#decision = answer(decision));
    this.#responseChanges = decision.edits.map(named);
    return { decision: 'continue', headers: applied(lines, decision.edits), edits: this.#responseChanges };
  }

  finish(at) {
    const phases = this.#at(at);
    this.#phases = undefined;
    const { log, explanation: text } = JSON.parse(phases.finish());
    const changes = { request_changes: this.#requestChanges, response_changes: this.#responseChanges };
    return { log, explanation: text === null ? null : { ...JSON.parse(text), ...changes } };
  }

  #at(time) {
    if (!this.#phases) throw new Error('the exchange is over');
    this.#phases.turn(this.#turn(time));
    return this.#phases;
  }

  // What goes on of the request.
  #go(lines, edits) {
    const headers = applied(lines, edits);
    const changes = edits.map(named);
    this.#lines = headers;
    this.#requestChanges.push(...changes);
    return { decision: 'continue', headers, edits: changes };
  }
}

function written(policy) {
  if (typeof policy === 'string') return policy;
  const text = typeof policy === 'object' && policy !== null ? JSON.stringify(policy) : undefined;
  if (text === undefined) throw new TypeError('a policy is a text or an object');
  return text;
}

const found = (text, policy) => placed(JSON.parse(text), policy);

// In an object there is no line to point at.
function placed(diagnostics, policy) {
  if (typeof policy === 'string') return diagnostics;
  return diagnostics.map(({ line, column, end_line, end_column, ...rest }) => rest);
}

// What the engine refuses it says as a text.
function saying(call) {
  try {
    return call();
  } catch (error) {
    throw typeof error === 'string' ? new Error(error) : error;
  }
}

function random() {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0'));
  return BigInt(`0x${digits.join('')}`);
}

function milliseconds(at = Date.now()) {
  const time = Number(at);
  if (!Number.isFinite(time) || time < 0) throw new TypeError('`at` is no time');
  return time;
}

function byteString(value, what) {
  if (value instanceof Uint8Array) return packed(value);
  if (typeof value !== 'string') throw new TypeError(`${what} is neither a string nor a Uint8Array`);
  if (/[^\0-\xff]/.test(value)) throw new TypeError(`${what} has a character that is no byte`);
  return value;
}

// Piece by piece: a call takes only so many arguments.
function packed(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

const unpacked = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const coded = (lines) => lines.map((line) => line.map((text) => Array.from(unpacked(text))));

function fields(headers) {
  const lines = [];
  for (const [name, value] of headers ?? []) {
    if (lines.length === MOST_LINES) throw new TypeError('too many headers');
    const lower = byteString(name, 'a name of `headers`').replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    lines.push([lower, byteString(value, 'a value of `headers`')]);
  }
  return lines;
}

const named = ([change, name, value]) => (change === 'remove' ? { change, name } : { change, name, value });

// The lines after these edits, as `new Headers(...)` takes them: pseudo headers are not of them.
function applied(lines, edits) {
  let left = lines.filter(([name]) => !name.startsWith(':')).map((line) => [...line]);
  for (const [change, name, value] of edits) {
    if (change === 'add') left.push([name, value]);
    else if (change === 'remove') left = left.filter(([other]) => other !== name);
    else for (const line of left) if (line[0] === name) line[1] = value;
  }
  return left;
}

// A reply as a gateway delivers it: to gRPC in the headers alone.
function answer({ status, grpc, headers, body }) {
  if (grpc == null) return { decision: 'reply', status, headers, body };
  const trailers = [['content-type', 'application/grpc'], ['grpc-status', String(grpc)], ['grpc-message', body]];
  return { decision: 'reply', status: 200, headers: [...headers, ...trailers], body: '' };
}
