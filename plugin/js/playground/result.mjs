// What became of a request, for people: the verdict, the rules in their order, what was changed on the way.

/** An element; what is in it goes in as text. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content.filter((part) => part != null));
  return made;
}

// Which colour stands for what became of it.
const TONES = {
  passed: 'passed', answered: 'passed', refused: 'refused', masked: 'changed', tagged: 'changed', unjudged: 'changed',
  'would-refuse': 'changed', 'would-mask': 'changed', 'would-tag': 'changed',
};

const WORDS = {
  'would-refuse': 'would refuse', 'would-mask': 'would mask', 'would-tag': 'would tag', 'not-reached': 'not reached',
  unjudged: 'not judged',
};

const BECAUSE = {
  peer: () => 'the other end of the connection',
  'trusted-peer': () => 'a trusted proxy, which speaks for nobody else',
  header: ({ header, peer }) => `the trusted proxy ${peer} says so in ${header}`,
  host: () => 'the gateway has resolved it',
  hidden: () => 'the gateway took it from a header that the policy does not trust',
  unknown: () => 'nobody says',
};

/** The parts of the page that say what was decided. */
export function result({ explanation, reply, masked, status, headers, edits, replaced, log }) {
  return [
    verdict(explanation, masked, status),
    facts(explanation),
    rules(explanation.rules),
    reply && !masked ? null : changes('To the upstream', explanation.request_changes, 'Nothing is changed.', replaced),
    reply ? answer(reply) : changes('To the client', edits, 'Nothing is changed.', undefined, { status, headers }),
    log === null ? null : fold('What the gateway would log', element('pre', {}, log)),
  ].filter((part) => part !== null);
}

function verdict({ decision, code, policy, rules }, masked, status) {
  const noted = decision === 'passed' ? rules.filter((rule) => TONES[rule.decision] === 'changed') : [];
  const word = masked ? 'Passed, its answer masked' : { passed: 'Passed', answered: 'Answered', refused: 'Refused' }[decision];
  const what = decision === 'passed' && !masked ? noted.map((rule) => `${rule.rule} ${WORDS[rule.decision] ?? rule.decision}`).join(', ')
    : [status, code].filter((part) => part !== null).join(' ');
  return element('p', { class: `verdict ${masked || noted.length > 0 ? 'changed' : TONES[decision]}`, 'data-decision': decision },
    element('strong', {}, word), ' ', what === '' ? null : element('span', { class: 'code' }, what),
    element('small', {}, 'by ', element('code', {}, policy)),
    ...rules.filter((rule) => rule.decision === 'refused' || noted.includes(rule)).map(reason));
}

// Which rule it was, before all that are asked.
const reason = ({ rule, why }) => element('span', { class: 'reason' }, element('code', {}, rule), ` ${why}`);

function facts({ client, scheme, host, route, preflight_for: asked }) {
  const rows = [
    ['client', client.address ?? 'unknown', BECAUSE[client.because]?.(client)],
    ['scheme', scheme.name, scheme.header ? `says ${scheme.header}` : null],
    ['host', host ?? 'none that is valid', null],
    ['route', route ?? 'none', asked ? `a preflight, judged as ${asked}` : null],
  ];
  return element('dl', { class: 'facts' }, ...rows.map(([name, value, why]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value, why ? element('small', {}, ` ${why}`) : null))));
}

// What every request is asked, and hardly one is refused for.
const isFormality = ({ rule, decision }) => decision === 'passed' && /^request(\.max_\w+|\.ambiguous)?$/.test(rule);

function rules(all) {
  const formalities = all.filter(isFormality);
  const asked = all.filter((rule) => rule.decision !== 'off' && !isFormality(rule));
  const off = all.filter(({ decision }) => decision === 'off');
  const row = ({ rule, mode, decision, status, code, why }) => element('li', { class: TONES[decision] ?? 'still', 'data-rule': rule },
    element('code', {}, rule),
    element('strong', {}, WORDS[decision] ?? decision),
    element('span', {}, status && decision !== 'passed' ? element('b', {}, `${status} ${code ?? ''}: `) : null, why, mode === 'report' ? ' (report)' : null));
  const parts = [element('h3', {}, 'Rules, in their order'), element('ol', { class: 'rules' }, ...asked.map(row))];
  if (formalities.length > 0) parts.push(fold(`${formalities.length} checks of form, passed`, element('ol', { class: 'rules' }, ...formalities.map(row))));
  if (off.length > 0) parts.push(fold(`${off.length} are off`, element('ol', { class: 'rules' }, ...off.map(row))));
  return element('div', {}, ...parts);
}

const SIGNS = { add: ['+', 'added'], replace: ['~', 'replaced'], remove: ['−', 'removed'] };

function changes(title, edits, nothing, replaced, message) {
  const item = ({ change, name, value }) => element('li', { class: change },
    element('span', { class: 'sign', title: SIGNS[change][1] }, SIGNS[change][0]),
    element('code', {}, element('b', {}, name), value === undefined ? null : `: ${value}`));
  const parts = [element('h3', {}, title, message ? element('small', {}, ` ${message.status}`) : null)];
  if (edits.length > 0) parts.push(element('ul', { class: 'edits' }, ...edits.map(item)));
  else parts.push(element('p', { class: 'nothing' }, nothing));
  if (replaced !== undefined) parts.push(element('p', { class: 'nothing' }, 'The body goes on as'), element('pre', { class: 'replaced' }, replaced));
  return element('div', {}, ...parts);
}

function answer({ status, headers, body }) {
  const line = ([name, value]) => element('li', {}, element('code', {}, element('b', {}, name), `: ${value}`));
  return element('div', {}, element('h3', {}, 'To the client, from the gateway itself ', element('small', {}, String(status))),
    body === '' ? null : element('pre', {}, pretty(body)),
    fold(`${headers.length} headers`, element('ul', { class: 'edits' }, ...headers.map(line)), true));
}

function fold(title, content, open = false) {
  return element('details', open ? { open: '' } : {}, element('summary', {}, title), content);
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
