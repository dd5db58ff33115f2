// Fills forms with @getodk/xforms-engine, for the differential test: a line of JSON
// in is {form, files: {name: text}} or {values: {path: [answer, ...]}, turns: {path:
// count}}, a line out is what the engine made of it. An answer is a text, or numbers
// from 0 up to 1 that choose among the choices at hand, or null for none. The clock
// stands still.
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
const general = (p) => plain(p).replace(/\[\d+\]/g, '');
const live = (root) => all(root).filter((n) => n.setValue || n.selectValues || n.setValues);
const instanceValue = (n) => n.currentState.instanceValue ?? n.getInstanceValue?.() ?? String(n.currentState.value ?? '');
// alike compares answers as texts: choices in any order, numbers by their value.
const alike = (a, b) => {
  const parts = (s) => s.split(/[ ;]+/).filter((p) => p !== '').map((p) => (Number.isNaN(Number(p)) ? p : String(Number(p)))).sort().join(' ');
  return a === b || parts(a) === parts(b);
};
const picked = (n, lots) => [...new Set(lots.map((x) => n.currentState.valueOptions[Math.floor(x * n.currentState.valueOptions.length)].value))];

// answer gives one question one answer and returns what should be its value now,
// null when there was nothing to choose from.
const answer = (n, value) => {
  switch (n.nodeType) {
    case 'select': {
      if (n.currentState.valueOptions.length === 0) return null;
      const choice = picked(n, n.selectType === 'select1' ? value.slice(0, 1) : value);
      n.selectValues(choice);
      return choice.join(' ');
    }
    case 'rank': {
      const order = n.currentState.valueOptions.map((o, i) => [value[i % value.length], o.value]).sort((a, b) => a[0] - b[0]).map((o) => o[1]);
      if (order.length === 0) return null;
      n.setValues(order);
      return order.join(' ');
    }
    case 'range': {
      const [start, end, step] = ['start', 'end', 'step'].map((k) => Number(n.definition.bounds[k]));
      const stop = String(start + Math.sign(end - start) * Math.floor(value[0] * (Math.abs((end - start) / step) + 1)) * Math.abs(step));
      n.setValue(stop);
      return stop;
    }
    case 'trigger':
      n.setValue(true);
      return 'OK';
    default:
      n.setValue(value);
      return value;
  }
};

// fill adds the turns of repeats and gives every question that is asked the answers
// that were made for its path, one after another where there are several turns; what
// an answer makes appear is filled in its turn. At the end one question in four is
// answered anew, as by people who change their minds.
const fill = (root, { turns, values }) => {
  const seen = new Set();
  const used = {};
  let made = 0;
  const refused = [];
  const give = (n) => {
    const path = general(n.currentState.reference);
    const list = values[path];
    used[path] = (used[path] ?? -1) + 1;
    const value = list[used[path] % list.length];
    if (value === null) return;
    let want = String(value);
    let got;
    try {
      want = answer(n, value);
      if (want === null) return;
      got = instanceValue(n);
    } catch (e) {
      got = String(e);
    }
    made++;
    if (!alike(got, want)) refused.push([plain(n.currentState.reference), n.nodeType + ' ' + n.valueType, want, got]);
  };
  const asked = (n) => n.currentState.relevant && !n.currentState.readonly && values[general(n.currentState.reference)];
  for (let grew = true; grew; ) {
    grew = false;
    for (const n of all(root)) {
      if (n.nodeType !== 'repeat-range:uncontrolled' || seen.has(n)) continue;
      seen.add(n);
      grew = true;
      for (let i = n.currentState.children.length; i < (turns[general(n.currentState.reference)] ?? 1); i++) n.addInstances();
    }
    for (const n of live(root)) {
      if (seen.has(n) || !asked(n)) continue;
      seen.add(n);
      grew = true;
      give(n);
    }
  }
  live(root).filter(asked).forEach((n, i) => i % 4 === 1 && asked(n) && give(n));
  return { made, refused };
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
        value: n.currentState.children === null || n.currentState.children.length === 0 ? instanceValue(n) : null,
        options: n.nodeType === 'select' || n.nodeType === 'rank' ? n.currentState.valueOptions.map((o) => o.value) : null,
        required: v?.required?.valid === false,
        constraint: v?.constraint?.valid === false,
      };
    });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const ask = JSON.parse(line);
    if (ask.form) {
      form = await engine.loadForm(ask.form, { missingResourceBehavior: 'BLANK', fetchFormAttachment: async (url) => {
        const name = String(url.href ?? url).replace(/.*\//, '');
        const type = { csv: 'text/csv', xml: 'text/xml', geojson: 'application/geo+json' }[name.replace(/.*\./, '')];
        return ask.files?.[name] === undefined ? new Response('', { status: 404 }) : new Response(ask.files[name], { status: 200, headers: { 'Content-Type': type } });
      } });
      if (form.status === 'failure') throw new Error(String(form.error?.message ?? form.error));
      out({ status: form.status });
      continue;
    }
    const instance = form.createInstance();
    const { made, refused } = fill(instance.root, ask);
    const payload = await instance.root.prepareInstancePayload({ payloadType: 'monolithic' });
    const xml = await payload.data[0].get('xml_submission_file').text();
    out({ made, refused, state: state(instance.root), xml });
  } catch (e) {
    out({ error: String(e.stack ?? e) });
  }
}
process.exit(0);
