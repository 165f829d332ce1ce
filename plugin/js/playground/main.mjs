// The page: what changes in it is judged at once, and its address says all of it.

import load, { Policy, PolicyError, check } from './package/index.js';
import { Editor } from './editor.mjs';
import { read, written } from './link.mjs';
import { element, result } from './result.mjs';
import { FormError, send } from './sending.mjs';

const FIELDS = ['method', 'url', 'client', 'headers', 'body', 'status', 'answer'];
// Typing is not judged letter by letter.
const QUIET_MS = 150;

const $ = (id) => document.getElementById(id);
const editor = new Editor($('policy'));
let policy;
let sent = 0;
let timer;

function show(...parts) {
  $('result').replaceChildren($('result-title'), ...parts);
}

function state() {
  const fields = FIELDS.map((name) => [name, $(name).value]);
  return Object.fromEntries([['policy', editor.text], ...fields]);
}

function restore({ policy: text = '', ...fields }) {
  for (const name of FIELDS) $(name).value = fields[name] ?? { method: 'GET', url: '/', status: '200' }[name] ?? '';
  editor.text = text;
  judge();
}

// The policy anew, with nothing counted, and the request once.
function judge() {
  clearTimeout(timer);
  history.replaceState(null, '', `#${written(state())}`);
  const found = check(editor.text);
  editor.show(found);
  summarize(found);
  policy = undefined;
  sent = 0;
  try {
    policy = new Policy(editor.text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    show(element('p', { class: 'verdict still' }, element('strong', {}, 'No decision')),
      element('p', { class: 'nothing' }, 'A gateway refuses this policy, and goes on with the one that it has.'));
  }
  resend();
}

function resend() {
  for (const name of FIELDS) $(name).removeAttribute('aria-invalid');
  $('sent').textContent = '';
  if (!policy) return;
  try {
    show(...result(send(policy, state())));
    sent += 1;
    $('sent').textContent = sent > 1 ? `sent ${sent} times: limits count them` : 'sends it once more, and limits count it';
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    $(error.field).setAttribute('aria-invalid', 'true');
    show(element('p', { class: 'verdict still' }, element('strong', {}, 'No request')), element('p', { class: 'nothing' }, error.message));
  }
}

function summarize(found) {
  const count = (severity, word) => {
    const all = found.filter((one) => one.severity === severity);
    if (all.length === 0) return null;
    const button = element('button', { type: 'button', class: `jump ${severity}` }, `${all.length} ${word}${all.length > 1 ? 's' : ''}`);
    button.addEventListener('click', () => editor.goTo(all[0].line ?? 1, all[0].column ?? 1));
    return button;
  };
  const parts = [count('error', 'error'), count('warning', 'warning')].filter((part) => part !== null);
  // The lines' own messages are generated, and not everybody's browser reads these out.
  const told = found.map(({ line, message, help }) => `line ${line}: ${message}${help ? `, ${help}` : ''}`).join('. ');
  if (parts.length > 0) parts.push(element('span', { class: 'aside' }, told));
  $('judged').replaceChildren(...(parts.length > 0 ? parts : [element('span', { class: 'fine' }, 'valid')]));
}

function changed() {
  clearTimeout(timer);
  timer = setTimeout(judge, QUIET_MS);
}

async function offer() {
  const examples = await (await fetch('examples/index.json')).json();
  const select = $('example');
  select.append(element('option', { value: '' }, 'choose …'), ...examples.map(({ title }, at) => element('option', { value: String(at) }, title)));
  const choose = async (at) => {
    const { policy: file, request } = examples[at];
    const text = await (await fetch(`examples/${file}`)).text();
    restore({ ...request, policy: text });
    select.value = String(at);
  };
  select.addEventListener('change', () => select.value !== '' && choose(Number(select.value)));
  return choose;
}

editor.addEventListener('change', changed);
for (const name of FIELDS) {
  $(name).addEventListener('input', changed);
}
$('request').addEventListener('submit', (event) => {
  event.preventDefault();
  resend();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  resend();
});
$('link').addEventListener('click', async () => {
  judge();
  try {
    await navigator.clipboard.writeText(location.href);
    $('link').textContent = 'Copied';
  } catch {
    $('link').textContent = 'It is in the address bar';
  }
  setTimeout(() => ($('link').textContent = 'Copy link'), 2000);
});
addEventListener('hashchange', () => {
  const linked = read(location.hash);
  if (linked) restore(linked);
});

try {
  await load();
  const choose = await offer();
  const linked = read(location.hash);
  if (linked) restore(linked);
  else await choose(0);
} catch (error) {
  show(element('p', { class: 'verdict refused' }, element('strong', {}, 'The engine does not run here')), element('p', { class: 'nothing' }, String(error)));
}
