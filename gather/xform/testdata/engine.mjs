// Fills forms with @getodk/xforms-engine, for the differential test: a line of JSON
// in is {form} or {answers: [[path, text], ...], repeats: [[path, count], ...]}, a
// line out is what the engine made of it. The clock stands still.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(process.cwd() + '/package.json');
const { JSDOM } = require('jsdom');
const dom = new JSDOM('<!doctype html>');
for (const name of ['DOMParser', 'XMLSerializer', 'Node', 'Element', 'Document', 'Attr', 'Text', 'Comment', 'CDATASection', 'XMLDocument', 'HTMLElement', 'NodeFilter', 'XPathResult', 'XPathEvaluator', 'XPathExpression', 'ProcessingInstruction', 'DocumentFragment', 'CharacterData', 'NamedNodeMap', 'NodeList', 'HTMLCollection']) {
  if (globalThis[name] === undefined && dom.window[name]) globalThis[name] = dom.window[name];
}
globalThis.window = dom.window;
globalThis.document = dom.window.document;
globalThis.__dirname = process.cwd();
console.log = console.error;
console.warn = () => {};

const fixed = Date.parse(process.env.ENGINE_NOW ?? '2026-02-03T10:00:00Z');
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...a) {
    super(...(a.length ? a : [fixed]));
  }
  static now() {
    return fixed;
  }
};

const engine = await import(require.resolve('@getodk/xforms-engine').replace(/dist\/.*$/, 'dist/index.js'));
const out = (v) => process.stdout.write(JSON.stringify(v) + '\n');
let form = null;

const all = (node, list = []) => {
  for (const c of node.currentState.children ?? []) {
    list.push(c);
    all(c, list);
  }
  return list;
};
const plain = (p) => p.replace(/\/[\w.-]+:/g, '/');
const find = (root, path) => all(root).find((n) => plain(n.currentState.reference) === path);

const fill = (root, { repeats, answers }) => {
  const refused = [];
  for (const [path, count] of repeats ?? []) {
    const range = all(root).find((n) => n.nodeType === 'repeat-range:uncontrolled' && plain(n.currentState.reference) === path);
    for (let i = 1; range && i < count; i++) range.addInstances();
  }
  for (const [path, text] of answers ?? []) {
    const n = find(root, path);
    try {
      if (!n) refused.push(path);
      else if (n.nodeType === 'select') n.selectValues(text === '' ? [] : text.split(' '));
      else if (n.nodeType === 'input' && text !== '' && ['int', 'decimal'].includes(n.valueType)) n.setValue(text);
      else if (n.nodeType === 'input' || n.nodeType === 'range') n.setValue(text);
      else refused.push(path);
    } catch {
      refused.push(path);
    }
  }
  return refused;
};

const state = (root) =>
  all(root)
    .filter((n) => !n.nodeType.startsWith('repeat-range'))
    .map((n) => {
      const v = n.validationState;
      return {
        path: plain(n.currentState.reference),
        type: n.nodeType,
        relevant: n.currentState.relevant,
        value: n.currentState.children === null || n.currentState.children.length === 0 ? (n.currentState.instanceValue ?? n.getInstanceValue?.() ?? String(n.currentState.value ?? '')) : null,
        required: v?.required?.valid === false,
        constraint: v?.constraint?.valid === false,
      };
    });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const ask = JSON.parse(line);
    if (ask.form) {
      form = await engine.loadForm(ask.form, { missingResourceBehavior: 'BLANK', fetchFormAttachment: async () => new Response('', { status: 404 }) });
      if (form.status === 'failure') throw new Error(String(form.error?.message ?? form.error));
      out({ status: form.status });
      continue;
    }
    const instance = form.createInstance();
    const refused = fill(instance.root, ask);
    const payload = await instance.root.prepareInstancePayload({ payloadType: 'monolithic' });
    const xml = await payload.data[0].get('xml_submission_file').text();
    out({ refused, state: state(instance.root), xml });
  } catch (e) {
    out({ error: String(e.stack ?? e) });
  }
}
process.exit(0);
