// The playground as a person uses it. Started by the script `playground`, which sets the environment.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { atEnd, endAll, isEnding } from './ending.mjs';

const { chromium } = createRequire(join(process.env.BROWSER_HOME, 'node_modules/'))('playwright-core');
const PLAYGROUND = new URL('../../plugin/js/playground/', import.meta.url);
const WIDE = { width: 1360, height: 900 };
const SMALL = { width: 1180, height: 690 };
const NARROW = { width: 390, height: 844 };
const PATIENCE_MS = 15_000;

// What the game's policy is warned of where it does not say who is asking.
const UNSAID = (policy) => policy.replace(/client:\n.*\n/, '');

const BROKEN = 'version: 1\nname: broken\nrequest:\n  hots: [api.example.com]\nrate_limits:\n  - name: all\n    quota: 5/minute\n';

const cases = {
  async 'it opens with an example, and explains what is refused'(page) {
    await decided(page, 'refused');
    assert.match(await page.locator('.verdict').innerText(), /422 input-invalid/);
    assert.equal(await rule(page, 'request.hosts'), 'passed');
    assert.equal(await rule(page, 'validate'), 'refused');
    assert.match(await page.locator('.verdict .reason').innerText(), /\/rounds/);
    assert.match(await page.locator('#result pre').first().innerText(), /"violations|"errors|"detail"/);
  },

  async 'a request that passes shows what is changed, both ways'(page) {
    await example(page, 1);
    await decided(page, 'passed');
    const changes = (await page.locator('.edits li').allInnerTexts()).map((line) => line.replace(/\s+/g, ' '));
    assert.ok(changes.some((line) => line.startsWith('− x-powered-by')), changes.join('\n'));
    assert.ok(changes.some((line) => line.startsWith('+ x-content-type-options: nosniff')));
    assert.ok(changes.some((line) => /set-cookie: session=abc; Path=\/; Secure/i.test(line)), changes.join('\n'));
  },

  async 'every example is valid, and decided as it says'(page) {
    const examples = JSON.parse(await readFile(new URL('examples/index.json', PLAYGROUND), 'utf8'));
    for (const [at, { title, decision, code }] of examples.entries()) {
      await example(page, at);
      await decided(page, decision);
      assert.equal(await page.locator('#judged').innerText(), 'valid', title);
      if (code) assert.match(await page.locator('.verdict .code').innerText(), new RegExp(code), title);
    }
  },

  async 'a mistake is shown under its line, as it is typed'(page) {
    await page.locator('#policy').fill(BROKEN);
    await page.locator('#judged .error', { hasText: '2 errors' }).waitFor();
    assert.deepEqual(await said(page), {
      4: 'unknown key `hots`\n→ did you mean `hosts`?',
      7: '`5/minute` is not a quota\n→ did you mean `5/1m`?',
    });
    // Under that line, and above the next.
    const box = (line) => page.locator('.line').nth(line - 1).boundingBox();
    assert.ok((await box(4)).height > 2 * (await box(3)).height);
    assert.ok((await box(5)).y >= (await box(4)).y + (await box(4)).height - 1);
    assert.match(await page.locator('.verdict').innerText(), /No decision/);
    await page.locator('#policy').fill(BROKEN.replace('hots', 'hosts').replace('5/minute', '5/1m').replace('name: broken', 'client: {}'));
    await decided(page, 'passed');
    assert.deepEqual(await said(page), {});
  },

  async 'what is no YAML is shown where it stops'(page) {
    await page.locator('#policy').fill('version: 1\nrequest: {hosts: [a.test\nheaders: no\n');
    await page.locator('#judged .error').waitFor();
    assert.notDeepEqual(await said(page), {});
  },

  async 'typing, deleting and taking back'(page) {
    await page.locator('#policy').fill('version: 1\nrequest:\n  hosts: [a.test]');
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('methods: [GETX]');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('End');
    assert.equal(await text(page), 'version: 1\nrequest:\n  hosts: [a.test]\n  methods: [GET]');
    for (let times = 0; times < 20; times += 1) await page.keyboard.press('Control+z');
    assert.match(await text(page), /create-match/);
    for (let times = 0; times < 20; times += 1) await page.keyboard.press('Control+Shift+z');
    assert.equal(await text(page), 'version: 1\nrequest:\n  hosts: [a.test]\n  methods: [GET]');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    assert.equal(await text(page), '');
    await page.keyboard.type('version: 1');
    assert.equal(await text(page), 'version: 1');
  },

  async 'limits count what is sent again, and the keyboard is enough'(page) {
    await example(page, 4);
    await decided(page, 'passed');
    assert.equal(await rules(page, 'rate_limits'), 'passed passed');
    await page.locator('#policy').focus();
    await page.keyboard.press('Control+Enter');
    await page.getByText('sent 2 times').waitFor();
    assert.equal(await rules(page, 'rate_limits'), 'passed would refuse');
    await page.keyboard.press('Control+Enter');
    await page.keyboard.press('Control+Enter');
    await decided(page, 'refused');
    assert.match(await page.locator('.verdict').innerText(), /429/);
  },

  async 'everything is reached with Tab, in order, and seen to be'(page) {
    await decided(page, 'refused');
    await page.locator('#example').focus();
    const order = ['example', 'link', 'policy', 'method', 'url', 'client', 'headers', 'body'];
    for (const id of order) {
      const focused = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return { id: document.activeElement.id, isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 };
      });
      if (id !== 'example') assert.deepEqual(focused, { id, isSeen: true });
      await page.keyboard.press('Tab');
    }
    const unnamed = await page.locator('input, textarea, select, button').evaluateAll((all) => all
      .filter((one) => one.labels?.length === 0 && one.innerText.trim() === '').map((one) => one.outerHTML));
    assert.deepEqual(unnamed, []);
  },

  async 'the link carries everything'(page, { context }) {
    await page.locator('#policy').fill('version: 1\nname: linked\nrequest: {hosts: [ünï.example]}\nheaders: {preset: api}\n'.replace('ünï.example', 'b.test'));
    await page.locator('#method').fill('PUT');
    await page.locator('#url').fill('http://b.test/a?b=ü&c=%2F');
    await page.locator('#headers').fill('x-one: 1\nx-two: zwei – 2');
    await page.locator('#body').fill('{"ü": "☃"}');
    await decided(page, 'passed', 'linked');
    await page.locator('#link').click();
    const address = page.url();
    const other = await context.newPage();
    await other.goto(address);
    await decided(other, 'passed', 'linked');
    for (const id of ['method', 'url', 'client', 'headers', 'body', 'status', 'answer']) {
      assert.equal(await other.locator(`#${id}`).inputValue(), await page.locator(`#${id}`).inputValue(), id);
    }
    assert.equal(await text(other), await text(page));
    assert.doesNotMatch(new URL(address).hash.slice(1), /[^A-Za-z0-9_-]/);
    await other.close();
  },

  async 'a link that nobody made does no harm'(page, { url }) {
    for (const fragment of ['#', '#%', '#!!!!', '#bm8', '#WzFd', '#eyJwb2xpY3kiOjF9']) {
      await page.goto('about:blank');
      await page.goto(`${url}${fragment}`);
      await decided(page, 'refused');
    }
    // {"policy": "<img src=x onerror=alert(1)>"}
    await page.goto('about:blank');
    await page.goto(`${url}#${Buffer.from('{"policy":"<img src=x onerror=alert(1)>: 1","url":"<b>"}').toString('base64url')}`);
    await page.locator('#judged .error').waitFor();
    assert.equal(await page.locator('.editor img, #result img, #result b:has-text("<b>") b').count(), 0);
  },

  async 'a form that says nothing is told so'(page) {
    await decided(page, 'refused');
    for (const [id, value] of [['url', 'no url'], ['headers', 'no header'], ['method', ''], ['status', '42']]) {
      if (id === 'status') await page.locator('form details summary').click();
      const before = await page.locator(`#${id}`).inputValue();
      await page.locator(`#${id}`).fill(value);
      await page.locator(`#${id}[aria-invalid=true]`).waitFor();
      assert.match(await page.locator('.verdict').innerText(), /No request/);
      await page.locator(`#${id}`).fill(before);
      await decided(page, 'refused');
    }
  },

  async 'a narrow page scrolls one way only'(page) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize(NARROW);
      for (const at of [0, 1, 2, 3, 4]) {
        await example(page, at);
        await page.locator('.verdict').waitFor();
        const [scroll, client] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        assert.ok(scroll <= client, `example ${at}: ${scroll} > ${client}`);
      }
    }
  },

  async 'text stands out, in light and in dark'(page) {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await example(page, 0);
      await decided(page, 'refused');
      const faint = await page.evaluate(contrasts);
      assert.deepEqual(faint, [], scheme);
    }
  },
};

// In the page: the texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
function contrasts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 0) return color;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    if (!own || !element.checkVisibility() || element.matches('option, .aside')) continue;
    const [one, two] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) faint.push(`${element.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}

const text = (page) => page.locator('.line').evaluateAll((lines) => lines.map((line) => line.textContent).join('\n'));

const said = async (page) => Object.fromEntries(await page.locator('.line').evaluateAll((lines) => lines
  .map((line, at) => [at + 1, line.dataset.said]).filter(([, said]) => said)));

async function decided(page, decision, policy = '') {
  await page.locator(`.verdict[data-decision=${decision}]`, { hasText: policy }).waitFor();
}

const rules = async (page, name) => (await page.locator(`[data-rule="${name}"] strong`).allInnerTexts()).join(' ');
const rule = rules;

async function example(page, at) {
  await page.locator('#example').selectOption(String(at));
  const examples = JSON.parse(await readFile(new URL('examples/index.json', PLAYGROUND), 'utf8'));
  const policy = await readFile(new URL(`examples/${examples[at].policy}`, PLAYGROUND), 'utf8');
  const name = policy.match(/^name: (.*)$/m)[1];
  await page.locator('.verdict small', { hasText: name }).waitFor();
}

function serve() {
  const child = spawn(process.env.PORTCULLIS, ['playground', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  atEnd(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (piece) => {
      output += piece;
      const address = output.match(/http:\/\/127\.0\.0\.1:\d+\//);
      if (address) resolve(address[0]);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`portcullis playground ended with ${code}`)));
  });
}

async function opened(browser, url, options = {}) {
  // Colours on their way to others are nobody's to measure.
  const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin });
  const troubles = [];
  context.on('console', (message) => ['error', 'warning'].includes(message.type()) && troubles.push(`console: ${message.text()}`));
  context.on('weberror', (error) => troubles.push(`error: ${error.error().stack}`));
  context.on('request', (request) => !/^(data|about|blob):/.test(request.url()) && !request.url().startsWith(url) && troubles.push(`asked for ${request.url()}`));
  context.on('response', (response) => response.status() >= 400 && troubles.push(`${response.status()} for ${response.url()}`));
  const page = await context.newPage();
  await page.goto(url);
  return { context, page, troubles, url };
}

async function main(args) {
  const url = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM, timeout: 180_000, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage', '--disable-component-update', '--no-first-run'],
    handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
  });
  atEnd(() => browser.close());
  if (args[0] === '--screenshot') return picture(browser, url, new URL('screenshot.png', PLAYGROUND).pathname, { viewport: SMALL }, 0, UNSAID);
  if (args[0] === '--pictures') {
    for (const [name, options, at] of [
      ['wide-light', {}, 1], ['wide-dark', { colorScheme: 'dark' }, 0],
      ['narrow-light', { viewport: NARROW }, 3], ['narrow-dark', { viewport: NARROW, colorScheme: 'dark' }, 0],
    ]) await picture(browser, url, join(args[1] ?? '.', `${name}.png`), options, at);
    return;
  }
  let failed = 0;
  const chosen = Object.entries(cases).filter(([title]) => args.every((word) => title.includes(word)));
  for (const [title, run] of chosen) {
    const visit = await opened(browser, url);
    try {
      await decided(visit.page, 'refused');
      await run(visit.page, visit);
      assert.deepEqual(visit.troubles, []);
      console.log(`ok      ${title}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${title}\n${error.stack}\n${visit.troubles.join('\n')}`);
    }
    await visit.context.close();
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  if (failed > 0 || chosen.length === 0) process.exitCode = 1;
}

async function picture(browser, url, path, options, at, change) {
  const { context, page } = await opened(browser, url, options);
  await decided(page, 'refused');
  await example(page, at);
  if (change) {
    await page.locator('#policy').fill(change(await text(page)));
    await page.locator('#judged .warning').waitFor();
    await page.locator('#policy').evaluate((editor) => {
      editor.blur();
      editor.scrollTop = 0;
    });
  }
  await page.screenshot({ path, fullPage: options.viewport === NARROW });
  console.log(path);
  await context.close();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  // What the run waited for may have been ended.
  if (!isEnding()) console.error(`browser/playground: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await endAll();
}
