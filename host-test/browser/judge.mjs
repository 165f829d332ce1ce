// Runs one case through one gateway, and says what differs from what it expects.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { visit } from './visit.mjs';

// What a line of a case expects of its request; the rest of the line is the request.
const EXPECTATIONS = ['reads', 'blocked', 'opaque', 'answered', 'hears'];

/** The differences, in words, and what the console said; no differences is a pass. */
export async function judge(entry, { browser, origins, gateway, upstream }) {
  upstream.answers = entry.answers ?? {};
  upstream.reached = [];
  const differences = [];
  const visiting = await visit(browser, origins);
  try {
    const url = gateway.url;
    if (entry.cookie) await visiting.addCookie(url);
    for (const [index, line] of entry.sends.entries()) {
      const { path, direct, host, seconds = 0, ...send } = line;
      const base = direct ? `http://127.0.0.1:${upstream.port}` : url;
      const target = new URL(path, base);
      if (host) target.hostname = host;
      for (const key of EXPECTATIONS) delete send[key];
      await sleep(seconds * 1000);
      const got = await visiting.send(send, target.href, url);
      const wrong = await outcome(line, got, visiting);
      differences.push(...wrong.map((what) => `request ${index + 1} (${line.method ?? line.via ?? 'GET'} ${path}): ${what}`));
    }
    const preflights = entry.preflights ?? [];
    same('preflights', await visiting.preflights(preflights.length), preflights, differences);
    same('reached the upstream', upstream.reached, entry.reached, differences);
  } catch (error) {
    differences.push(String(error));
  } finally {
    await visiting.close();
  }
  return { differences, console: visiting.console };
}

function same(what, got, expected, differences) {
  if (!isDeepStrictEqual(got, expected)) differences.push(`${what}: ${show(got)} instead of ${show(expected)}`);
}

async function outcome(line, got, visiting) {
  const expected = EXPECTATIONS.filter((key) => key in line);
  if (expected.length !== 1) return [`a line of a case expects one thing, not ${show(expected)}`];
  const differences = [];
  switch (expected[0]) {
    case 'blocked':
      if (!got.blocked) return [`not blocked, the page got ${show(got)}`];
      if (!(await visiting.heard(line.blocked))) return [`blocked, but the console does not say ${line.blocked}`];
      return [];
    case 'opaque':
      same('response type', got.type, 'opaque', differences);
      return differences;
    case 'answered':
      same('status', got.status, line.answered, differences);
      return differences;
    case 'hears':
      same('message', got.heard, line.hears, differences);
      return differences;
  }
  if (got.blocked) return [`not readable: ${got.blocked}`];
  const { status = 200, json = {}, headers = {} } = line.reads;
  if (![status].flat().includes(got.status)) differences.push(`status: ${got.status} instead of ${show(status)}`);
  const body = parsed(got.body);
  for (const [key, value] of Object.entries(json)) same(`body's ${key}`, body?.[key] ?? null, value, differences);
  for (const [name, value] of Object.entries(headers)) same(`header ${name}`, got.headers[name] ?? null, value, differences);
  return differences;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const show = (value) => JSON.stringify(value);
