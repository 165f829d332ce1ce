// The gateways between the browser and the API: a real Envoy with the filter, and `portcullis serve`.

import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { atEnd } from './ending.mjs';

// How long a gateway may take to start: Envoy compiles the module first.
const START_MS = 60_000;
// How long it may take to end when it is asked to, before it is made to.
const STOP_MS = 5_000;

/** What starts each kind of gateway. */
export const STARTS = { envoy: startEnvoy, serve: startServe };

async function startEnvoy(name, policy, upstream, directory) {
  const at = (file) => join(directory, `${name}.${file}`);
  await writeFile(at('policy.json'), JSON.stringify(policy, null, 2));
  const rendered = await promisify(execFile)(process.env.PORTCULLIS, [
    'render', 'envoy', at('policy.json'), '--upstream', `127.0.0.1:${upstream}`, '--wasm', process.env.MODULE,
  ]);
  // As it is rendered, but for the ports, and for WebSockets, which an Envoy passes on only where it is told to.
  let config = rendered.stdout;
  for (const [from, to] of [
    [/port_value: 8080/, 'port_value: 0'],
    [/port_value: 9901/, 'port_value: 0'],
    [/^( *)server_header_transformation:/m, '$1upgrade_configs: [{upgrade_type: websocket}]\n$&'],
  ]) {
    if (!from.test(config)) throw new Error(`the rendered configuration has no ${from}`);
    config = config.replace(from, to);
  }
  await writeFile(at('yaml'), config);
  // Without --disable-hot-restart two Envoys on one machine meet at one socket, and the second one fails.
  const child = start(process.env.ENVOY, [
    '--disable-hot-restart', '--log-level', 'warning', '--component-log-level', 'wasm:info', '--concurrency', '1',
    '--config-path', at('yaml'), '--admin-address-path', at('admin'),
  ], at('log'));
  return child.started(async () => {
    const admin = `http://${(await readFile(at('admin'), 'utf8').catch(() => '')).trim()}`;
    if (admin === 'http://' || !(await fetch(`${admin}/ready`)).ok) return;
    const { listener_statuses: [listener] } = await (await fetch(`${admin}/listeners?format=json`)).json();
    return listener.local_address.socket_address.port_value;
  });
}

async function startServe(name, policy, upstream, directory) {
  const at = (file) => join(directory, `${name}.${file}`);
  await writeFile(at('policy.json'), JSON.stringify(policy, null, 2));
  const child = start(process.env.PORTCULLIS, [
    'serve', at('policy.json'), '--upstream', `http://127.0.0.1:${upstream}`, '--listen', '127.0.0.1:0',
  ], at('log'));
  return child.started(async () => (await child.said()).match(/listening on http:\/\/127\.0\.0\.1:(\d+)/)?.[1]);
}

// Starts a program whose output goes to a file.
function start(program, args, log) {
  const out = openSync(log, 'w');
  const child = spawn(program, args, { stdio: ['ignore', out, out] });
  closeSync(out);
  let failure;
  child.once('error', (error) => (failure = error));
  const ended = new Promise((resolve) => ['exit', 'error'].forEach((event) => child.once(event, resolve)));
  const gone = () => failure || child.exitCode !== null || child.signalCode !== null;
  const said = () => readFile(log, 'utf8');
  const stop = async () => {
    if (gone()) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  };
  atEnd(stop);
  // Waits until `look` gives a port.
  const started = async (look) => {
    for (const end = Date.now() + START_MS; Date.now() < end && !gone(); await sleep(50)) {
      const port = await look().catch(() => undefined);
      if (port) return { url: `http://127.0.0.1:${port}` };
    }
    throw new Error(`${program} did not start${failure ? `: ${failure.message}` : ''}\n${await said()}`);
  };
  return { said, started };
}
