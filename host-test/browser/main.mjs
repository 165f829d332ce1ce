// Starts everything, runs every case through every gateway, and ends everything. Started by `run`, which sets the environment.

import { createRequire } from 'node:module';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { atEnd, endAll, isEnding } from './ending.mjs';
import { STARTS } from './gateway.mjs';
import { judge } from './judge.mjs';
import { NAMES, startPages } from './pages.mjs';
import { policies } from './policy.mjs';
import { startUpstream } from './upstream.mjs';

const { chromium } = createRequire(join(process.env.BROWSER_HOME, 'node_modules/'))('playwright-core');

async function allCases() {
  const folder = new URL('cases/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mjs')).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder))));
  return modules.flatMap((module) => module.cases);
}

async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    timeout: 180_000,      // on a machine that is busy with other things
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage',
      '--disable-component-update', '--no-first-run', NAMES],
    handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
  });
  atEnd(() => browser.close());
  return browser;
}

// The gateways of one kind, each with an upstream of its own, by the name of the policy.
async function startGateways(kind, sites, directory) {
  const started = Object.entries(policies(sites)).map(async ([name, policy]) => {
    const upstream = await startUpstream();
    atEnd(upstream.stop);
    const gateway = await STARTS[kind](`${kind}-${name}`, policy, upstream.port, directory);
    return [name, { gateway, upstream }];
  });
  return { kind, gateways: Object.fromEntries(await settled(started)) };
}

// All of them, and only then the first failure: nothing is left half started.
async function settled(promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return results.map((result) => result.value);
}

async function runThrough({ kind, gateways }, cases, browser, origins) {
  const counts = { passed: 0, failed: 0, left: 0 };
  for (const entry of cases) {
    if (entry.except?.[kind]) {
      counts.left += 1;
      console.log(`left    ${kind}: ${entry.title} (${entry.except[kind]})`);
      continue;
    }
    const { gateway, upstream } = gateways[entry.policy ?? 'main'];
    const result = await judge(entry, { browser, origins, gateway, upstream });
    if (result.differences.length === 0) {
      counts.passed += 1;
      console.log(`ok      ${kind}: ${entry.title}`);
      continue;
    }
    counts.failed += 1;
    const said = result.console.map((line) => `console: ${line}`);
    console.log([`FAILED  ${kind}: ${entry.title}`, ...result.differences, ...said].join('\n          '));
  }
  return counts;
}

async function main(words) {
  const named = Object.keys(STARTS).filter((kind) => words.includes(`${kind}:`));
  const kinds = named.length > 0 ? named : Object.keys(STARTS);
  const rest = words.filter((word) => !named.includes(word.slice(0, -1)));
  const cases = (await allCases()).filter(({ title }) => rest.every((word) => title.includes(word)));
  if (cases.length === 0) throw new Error(`no case has ${rest.join(' ')} in its title`);

  const directory = await mkdtemp(join(process.env.BROWSER_HOME, 'run.'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  const sites = await startPages();
  atEnd(sites.stop);
  const [browser, ...lanes] = await settled([startBrowser(), ...kinds.map((kind) => startGateways(kind, sites, directory))]);
  const counts = await settled(lanes.map((lane) => runThrough(lane, cases, browser, sites.origins)));
  const total = (key) => counts.reduce((sum, count) => sum + count[key], 0);
  console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('left')} left out`);
  if (total('failed') > 0) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  // What the run waited for may have been ended.
  if (!isEnding()) console.error(`browser/run: ${error.message}`);
  process.exitCode = 1;
} finally {
  await endAll();
}
