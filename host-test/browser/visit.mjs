// One case in the browser: a profile of its own, the pages that send, and what the browser said meanwhile.

import { setTimeout as sleep } from 'node:timers/promises';

import * as inPage from './in-page.mjs';

// How much later than the page the browser's own words may come.
const LATE_MS = 2_000;
const PATIENCE_MS = 10_000;

/** Caches, cookies and preflights remembered are this visit's own, and end with it. */
export async function visit(browser, origins) {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  const pages = new Map();
  const networks = [];
  const console = [];
  const preflights = [];

  // The page is loaded once a visit: later sends of the same page find it as they left it.
  async function open(url) {
    const known = pages.get(url);
    if (known) return known;
    const page = await context.newPage();
    page.on('console', (message) => console.push(message.text()));
    page.on('requestfailed', (request) => console.push(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`));
    await listen(page);
    await page.goto(url);
    pages.set(url, page);
    return page;
  }

  // The sandboxed frame of a page: a process of its own in Chromium, and so with a network of its own to listen to.
  async function frameOf(page) {
    if (page.frames().length === 1) {
      await page.evaluate(inPage.framing);
      await listen(page.frames()[1]);
    }
    return page.frames()[1];
  }

  // Preflights are the browser's own: neither pages nor Playwright's requests show them.
  async function listen(target) {
    const network = await context.newCDPSession(target);
    networks.push(network);
    network.on('Network.responseReceived', ({ type, response }) => {
      if (type === 'Preflight') preflights.push(response.status);
    });
    await network.send('Network.enable');
  }

  return {
    console,
    close: () => context.close(),
    addCookie: (url) => context.addCookies([{ name: 'session', value: 'secret', url }]),

    /** Sends what one line of a case says to `url`, and gives what came of it. */
    async send(send, url, gateway) {
      const { from = 'listed', page: path = '/', via = 'fetch', sandboxed = false, ...init } = send;
      const page = await open(`${from === 'gateway' ? gateway : origins[from]}${path}`);
      const where = sandboxed ? await frameOf(page) : page;
      const what = { url, init };
      if (via === 'form') {
        const answered = page.waitForResponse((response) => response.url() === url && response.request().method() === 'POST');
        await where.evaluate(inPage.submitting, what);
        return { status: (await answered).status() };
      }
      return where.evaluate({ fetch: inPage.fetching, upload: inPage.uploading, socket: inPage.connecting }[via], what);
    },

    /** The statuses of all preflights so far, once as many are known as are expected, or no more come. */
    async preflights(expected) {
      await until(() => preflights.length >= expected);
      // What the browser said before it answers this has been heard.
      await Promise.all(networks.map((network) => network.send('Network.enable')));
      return preflights;
    },

    /** Waits for the console to say it. */
    heard: (pattern) => until(() => console.some((line) => pattern.test(line))),
  };
}

// The browser tells of the network and the console a little later than the page knows.
async function until(met) {
  for (const end = Date.now() + LATE_MS; Date.now() < end; await sleep(20)) {
    if (met()) return true;
  }
  return met();
}
