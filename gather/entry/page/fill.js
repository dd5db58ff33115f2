// One form being filled: what is typed is kept as a draft at once, and becomes a
// record of the outbox when it is finished.

import * as store from "./store.js";
import { say, moment } from "./text.js";
import { tell } from "./send.js";
import { titled } from "./forms.js";
import { el } from "./dom.js";
import { show } from "./engine.js";

const pause = 700; // ms of quiet before what was typed is kept
const look = 3000; // ms between looks at what changes without a key, as a photo made smaller

export class Fill {
  constructor({ form, draft, lang, device, done }) {
    Object.assign(this, { form, lang, device, done });
    this.record = draft ?? { id: crypto.randomUUID(), form: form.key, formId: form.id, version: form.version, title: form.title, titles: form.titles, state: "draft", created: Date.now(), files: [] };
    this.kept = draft?.xml ?? "";
    this.queue = Promise.resolve();
  }

  t(key, ...args) { return say(this.lang, key, ...args); }

  async show(main) {
    if (!(await this.lock())) {
      main.replaceChildren(el("p", { class: "note bad", role: "alert" }, this.t("fill.elsewhere")), el("a", { class: "button", href: "#records" }, this.t("records")));
      return;
    }
    this.status = el("p", { class: "quiet grow", role: "status" });
    this.back = el("button", { type: "button", "data-key": "back", onclick: () => { location.hash = this.record.xml ? "#records" : "#forms"; } });
    const host = el("div", { class: "engine" });
    this.title = el("bdi", {});
    main.replaceChildren(el("div", { class: "fillbar row" }, this.back, this.status), el("h1", {}, this.title), host);
    this.words();
    const files = [];
    for (const f of this.record.files) {
      const kept = await store.file(this.record.id, f.name);
      if (kept) files.push(new File([kept.data], f.name, { type: kept.type }));
    }
    const media = new Map(this.form.media.map((m) => [m.name, m.hash]));
    try {
      this.engine = await show(host, {
        xml: this.form.xml, lang: this.lang,
        medium: (name) => (media.has(name) ? store.medium(media.get(name)) : null),
        draft: this.record.xml ? { xml: this.record.xml, files } : null,
        deviceID: "dtm-entry:" + (await deviceNumber()),
        finish: (result) => this.finish(result),
      });
    } catch (e) {
      console.error(e);
      host.replaceChildren(el("p", { class: "note bad", role: "alert" }, this.t("fill.failed", String(e?.message ?? e))));
      return;
    }
    // What a form computes when it opens is no answer yet.
    if (!this.kept) this.kept = this.engine.snapshot().xml;
    this.events = new AbortController();
    const soon = () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.keep(), pause); };
    for (const e of ["input", "change", "click", "keyup", "focusout"]) document.addEventListener(e, soon, { signal: this.events.signal, passive: true });
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.keep(), { signal: this.events.signal });
    addEventListener("pagehide", () => this.keep(), { signal: this.events.signal });
    this.looking = setInterval(() => this.keep(), look);
  }

  /** One tab at a time has a draft open. */
  lock() {
    if (!navigator.locks) return true;
    return new Promise((resolve) => {
      navigator.locks.request("dtm-entry-draft-" + this.record.id, { ifAvailable: true }, (lock) => {
        resolve(!!lock);
        return lock && new Promise((release) => { this.release = release; });
      });
    });
  }

  words() {
    this.title.textContent = titled(this.form, this.lang);
    this.back.textContent = this.t("fill.back");
    this.status.textContent = this.trouble ? this.t("fill.nosave", this.trouble) : this.record.changed ? this.t("fill.saved", moment(this.lang, this.record.changed)) : this.t("fill.unsaved");
    this.status.classList.toggle("bad", !!this.trouble);
  }

  speak(lang) {
    this.lang = lang;
    if (this.back) this.words();
    this.engine?.speak(lang);
  }

  /** Keeps the answers as they are now; one keeping at a time. */
  keep() {
    clearTimeout(this.timer);
    return (this.queue = this.queue.then(async () => {
      if (!this.engine || this.over) return;
      const now = this.engine.snapshot();
      if (now.xml === this.kept) return;
      await this.write({ ...this.record, state: "draft" }, now);
    }).catch((e) => { this.trouble = String(e?.message ?? e); this.words(); }));
  }

  async write(record, { xml, files, name }) {
    const had = new Map(this.record.files.map((f) => [f.name, f]));
    const kept = [];
    for (const f of files) {
      const same = had.get(f.name);
      kept.push({ name: f.name, type: f.type, size: f.size, data: same?.size === f.size ? undefined : await f.arrayBuffer() });
    }
    record = { ...record, xml, name, changed: Date.now(), files: kept.map(({ name, type, size }) => ({ name, type, size })) };
    await store.keep(record, kept);
    this.record = record;
    this.kept = xml;
    this.trouble = "";
    this.words();
  }

  async finish(result) {
    await this.queue;
    try {
      await this.write({ ...this.record, state: "queued", finished: Date.now(), instance: result.instance, tries: 0, next: 0, error: null }, result);
    } catch (e) {
      this.trouble = String(e?.message ?? e);
      this.words();
      return;
    }
    this.over = true;
    await this.close();
    this.done(this.record.id);
  }

  async close() {
    clearInterval(this.looking);
    await this.keep();
    this.events?.abort();
    this.over = true;
    this.engine?.close();
    this.engine = null;
    this.release?.();
    tell({ type: "change" });
  }
}

/** The browser's own number, by which the office tells two browsers with the same
 *  link apart. */
async function deviceNumber() {
  let n = await store.setting("number");
  if (!n) await store.set("number", (n = crypto.randomUUID()));
  return n;
}
