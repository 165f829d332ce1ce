// The policy's editor: lines with numbers, and under each line what is wrong with it.
//
// A textarea has no room between its lines. So each line is an element, and its number and messages are generated content,
// which is neither text nor in the way of the caret. What is typed changes a text of the editor's own, which is then shown:
// the browser edits only while something is being composed.

const DEEPEST_UNDO = 200;
const ONE_EDIT_MS = 600;

export class Editor extends EventTarget {
  #root;
  #text = '';
  #undone = [];
  #done = [];
  #last = 0;
  #found = [];

  constructor(root) {
    super();
    this.#root = root;
    root.addEventListener('beforeinput', (event) => this.#before(event));
    root.addEventListener('input', () => this.#adopt());
    root.addEventListener('compositionend', () => this.#adopt());
    root.addEventListener('keydown', (event) => this.#key(event));
    root.addEventListener('copy', (event) => this.#copy(event));
    root.addEventListener('cut', (event) => {
      this.#copy(event);
      const [start, end] = this.#selected();
      this.#edit(start, end, '');
    });
    root.addEventListener('drop', (event) => event.preventDefault());
  }

  get text() {
    return this.#text;
  }

  /** Another text, with which the history begins. */
  set text(text) {
    this.#text = text.replace(/\r\n?/g, '\n');
    this.#done = [];
    this.#undone = [];
    this.#found = [];
    this.#show();
    this.#root.scrollTop = 0;
  }

  /** Shows what was found, each under its line. */
  show(found) {
    this.#found = found;
    this.#annotate();
  }

  /** Puts the caret at a place, each from 1. */
  goTo(line, column) {
    const lines = this.#text.split('\n');
    const before = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    this.#root.focus();
    this.#select(before + [...lines[line - 1] ?? ''].slice(0, column - 1).join('').length);
    this.#root.children[line - 1]?.scrollIntoView({ block: 'nearest' });
  }

  #before(event) {
    if (event.isComposing || event.inputType === 'insertCompositionText') return;
    event.preventDefault();
    const kind = event.inputType;
    if (kind.startsWith('history')) return;
    const [start, end] = this.#selected();
    if (kind.startsWith('delete')) return this.#edit(...this.#reach(kind, start, end), '');
    if (!kind.startsWith('insert')) return;
    let data = event.data ?? event.dataTransfer?.getData('text/plain') ?? '';
    if (kind === 'insertParagraph' || kind === 'insertLineBreak') {
      // The next line begins where this one does.
      const line = this.#text.slice(this.#text.lastIndexOf('\n', start - 1) + 1, start);
      data = `\n${line.match(/^ */)[0]}`;
    }
    this.#edit(start, end, data.replace(/\r\n?/g, '\n').replace(/\t/g, '  '));
  }

  // What a deletion takes. Browsers know, and not all of them tell.
  #reach(kind, start, end) {
    if (start !== end) return [start, end];
    const isBackward = kind.endsWith('Backward');
    const text = isBackward ? this.#text.slice(0, start) : this.#text.slice(start);
    const granularity = kind.includes('Word') ? 'word' : 'grapheme';
    const line = isBackward ? text.slice(text.lastIndexOf('\n') + 1) : text.split('\n', 1)[0];
    const parts = Array.from(new Intl.Segmenter('en', { granularity }).segment(line), ({ segment }) => segment);
    // At the end of a line it is the break.
    let length = kind.includes('Line') ? line.length : (isBackward ? parts.at(-1) : parts[0])?.length ?? 0;
    if (line === '') length = Math.min(1, text.length);
    return isBackward ? [start - length, start] : [start, start + length];
  }

  #edit(start, end, data) {
    const now = Date.now();
    const isSameEdit = data.length < 2 && data !== '\n' && now - this.#last < ONE_EDIT_MS;
    this.#last = now;
    if (!isSameEdit || this.#done.length === 0) this.#done.push({ text: this.#text, at: start });
    if (this.#done.length > DEEPEST_UNDO) this.#done.shift();
    this.#undone = [];
    this.#become(this.#text.slice(0, start) + data + this.#text.slice(end), start + data.length);
  }

  #become(text, at) {
    this.#text = text;
    this.#found = [];
    this.#show();
    this.#select(at);
    this.dispatchEvent(new Event('change'));
  }

  // What the browser did by itself.
  #adopt() {
    const [at] = this.#selected();
    const text = [...this.#root.childNodes].map((node) => node.textContent).join('\n');
    if (text === this.#text) return;
    this.#done.push({ text: this.#text, at });
    this.#become(text, at);
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const isUndo = key === 'z' && !event.shiftKey;
    if (!isUndo && key !== 'y' && key !== 'z') return;
    event.preventDefault();
    const [from, to] = isUndo ? [this.#done, this.#undone] : [this.#undone, this.#done];
    const step = from.pop();
    if (!step) return;
    to.push({ text: this.#text, at: this.#selected()[1] });
    this.#last = 0;
    this.#become(step.text, step.at);
  }

  #copy(event) {
    event.preventDefault();
    const [start, end] = this.#selected();
    event.clipboardData.setData('text/plain', this.#text.slice(start, end));
  }

  #selected() {
    const selection = document.getSelection();
    if (!selection.rangeCount || !this.#root.contains(selection.anchorNode)) return [this.#text.length, this.#text.length];
    const range = selection.getRangeAt(0);
    return [this.#offset(range.startContainer, range.startOffset), this.#offset(range.endContainer, range.endOffset)];
  }

  // Where in the text a point of the page is.
  #offset(node, offset) {
    const lines = [...this.#root.childNodes];
    const before = (count) => lines.slice(0, count).reduce((sum, line) => sum + line.textContent.length + 1, 0);
    if (node === this.#root) return Math.min(before(offset), this.#text.length);
    const at = lines.findIndex((line) => line.contains(node));
    if (at < 0) return this.#text.length;
    const inLine = node.nodeType === Node.TEXT_NODE ? offset : offset === 0 ? 0 : lines[at].textContent.length;
    return before(at) + inLine;
  }

  #point(at) {
    const before = this.#text.slice(0, at).split('\n');
    const line = this.#root.childNodes[before.length - 1];
    const first = line.firstChild;
    return first?.nodeType === Node.TEXT_NODE ? [first, before.at(-1).length] : [line, 0];
  }

  #select(at) {
    document.getSelection().collapse(...this.#point(at));
  }

  // Lines that are as they were keep their elements.
  #show() {
    const lines = this.#text.split('\n');
    const root = this.#root;
    while (root.childNodes.length > lines.length) root.lastChild.remove();
    lines.forEach((text, at) => {
      const old = root.childNodes[at];
      const isLine = old?.className === 'line' && old.childNodes.length === 1;
      if (isLine && old.textContent === text && (text !== '' || old.firstChild.nodeName === 'BR')) return;
      const line = document.createElement('div');
      line.className = 'line';
      line.append(text === '' ? document.createElement('br') : text);
      if (old) old.replaceWith(line);
      else root.append(line);
    });
    this.#annotate();
    this.#tint();
  }

  #annotate() {
    const of = Map.groupBy(this.#found, ({ line }) => line ?? 1);
    const marks = { error: [], warning: [] };
    [...this.#root.childNodes].forEach((line, at) => {
      const found = of.get(at + 1) ?? [];
      const said = found.map(({ message, help }) => (help ? `${message}\n→ ${help}` : message));
      for (const [name, value] of [['said', said.join('\n')], ['severity', found.some(({ severity }) => severity === 'error') ? 'error' : 'warning']]) {
        if (found.length > 0) line.dataset[name] = value;
        else delete line.dataset[name];
      }
      for (const { severity, line: first, column, end_line, end_column } of found) {
        const characters = [...line.textContent];
        const place = (column) => characters.slice(0, column - 1).join('').length;
        const text = line.firstChild;
        if (text?.nodeType !== Node.TEXT_NODE || !column) continue;
        const start = Math.min(place(column), text.length - 1);
        marks[severity].push(range(text, start, Math.max(start + 1, end_line > first ? text.length : place(end_column))));
      }
    });
    for (const [name, ranges] of Object.entries(marks)) highlight(name, ranges);
  }

  // Comments and keys, so that a policy is read at a glance.
  #tint() {
    const [comments, keys] = [[], []];
    for (const { firstChild: text } of this.#root.childNodes) {
      if (text?.nodeType !== Node.TEXT_NODE) continue;
      const comment = text.data.match(/(^|\s)#.*$/);
      const end = comment ? comment.index : text.length;
      if (comment) comments.push(range(text, comment.index, text.length));
      for (const { index, 0: key } of text.data.slice(0, end).matchAll(/(?<=^\s*(- )*|[{,]\s*)("[^"]*"|[\w$/-]+)(?=:(\s|$))/g)) {
        keys.push(range(text, index, index + key.length));
      }
    }
    highlight('comment', comments);
    highlight('key', keys);
  }
}

function range(text, start, end) {
  const range = new Range();
  range.setStart(text, start);
  range.setEnd(text, Math.min(end, text.length));
  return range;
}

function highlight(name, ranges) {
  globalThis.CSS.highlights?.set(name, new Highlight(...ranges));
}
