// The page: which view is shown, and what happens when. Forms themselves are drawn
// by fill.js, which is fetched when one is opened: list and outbox must be there
// at once on a slow phone.

import * as store from "./store.js";
import * as server from "./server.js";
import { labels, refresh, titled } from "./forms.js";
import { alone, due, sendAll, tell } from "./send.js";
import { languages, moment, preferred, say, size } from "./text.js";
import { el, fillIn, ask } from "./dom.js";

const here = { lang: "en", token: "", device: null, refused: false, worker: null, waiting: null, install: null, progress: {}, failure: "", offline: "pending", desk: null, answers: {}, typing: {} };
const t = (key, ...args) => say(here.lang, key, ...args);
const when = (at) => moment(here.lang, at);
let form = null; // the view of fill.js, while a form is open

// ---- views

function head() {
  const nav = (id, label, n) => el("a", { href: "#" + id, "aria-current": view() === id ? "page" : null }, label, n ? el("span", { class: "count" }, String(n)) : "");
  document.title = t("title");
  fillIn("#skip", t("skip"));
  fillIn("#site", el("b", {}, t("title")), here.device ? el("span", { class: "device" }, here.device.name) : "");
  fillIn("#net", el("span", { class: navigator.onLine ? "on" : "off" }, navigator.onLine ? t("online") : t("offline")));
  fillIn("#langs", ...Object.entries(languages).map(([l, name]) =>
    el("button", { type: "button", lang: l, "data-key": "lang-" + l, "aria-pressed": String(l === here.lang), onclick: () => speak(l) }, name)));
  document.querySelector("#langs").setAttribute("aria-label", t("language"));
  document.querySelector("#nav").hidden = !here.token || view() === "fill";
  store.records().then((all) => fillIn("#nav", nav("forms", t("forms")), nav("records", t("records"), all.filter((r) => r.state !== "received" && r.state !== "sent").length + (here.desk?.questions ?? []).filter((q) => !here.answers[q.seq]).length)));
}

const view = () => {
  const [name] = location.hash.slice(1).split("=");
  return name === "records" || name === "fill" || name === "draft" ? (name === "draft" ? "fill" : name) : "forms";
};

let drawing = Promise.resolve();
/** Draws the view anew, one drawing at a time; what had the focus has it again. */
function draw() {
  return (drawing = drawing.then(async () => {
    head();
    const main = document.querySelector("#main"), lang = here.lang;
    if (form) { main.lang = lang; return; }
    const focused = document.activeElement?.dataset?.key;
    if (!here.token) await enrolment();
    else if (view() === "fill") await open();
    else await (view() === "records" ? records() : forms());
    main.lang = lang;
    if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }).catch((e) => { console.error(e); fillIn("#main", el("p", { class: "note bad", role: "alert" }, String(e.message ?? e))); }));
}

const button = (label, key, onclick, cls = "") => el("button", { type: "button", class: cls, "data-key": key, onclick }, label);

async function enrolment() {
  const input = el("input", { id: "code", autocomplete: "off", autocapitalize: "off", spellcheck: "false", dir: "ltr", "data-key": "code" });
  const bad = el("p", { class: "note bad", role: "alert", hidden: !here.failure }, here.failure);
  fillIn("#main", el("h1", {}, t("enrol.title")),
    el("form", { class: "card", onsubmit: async (e) => {
      e.preventDefault();
      const token = input.value.trim().split(/[#/]/).find((s) => server.tokenShape.test(s));
      here.failure = token ? "" : t("enrol.bad");
      if (token) await enrol(token); else draw();
    } }, el("p", {}, t("enrol.what")), el("label", { for: "code" }, t("enrol.label")), input, bad, el("button", { type: "submit", class: "main" }, t("enrol.do"))));
}

async function forms() {
  const [all, list, refreshed] = await Promise.all([store.forms(), store.records(), store.setting("refreshed")]);
  const current = all.filter((f) => f.current).sort((a, b) => titled(a, here.lang).localeCompare(titled(b, here.lang), here.lang));
  const drafts = list.filter((r) => r.state === "draft").sort((a, b) => b.changed - a.changed);
  fillIn("#main", notices(), el("h1", {}, t("forms")),
    current.length
      ? el("ul", { class: "cards" }, ...current.map((f) => el("li", { class: "card row" }, el("div", { class: "grow" }, el("h2", {}, el("bdi", {}, titled(f, here.lang))), el("p", { class: "quiet" }, t("forms.version", f.version))),
          el("a", { class: "button main", href: "#fill=" + encodeURIComponent(f.key), "data-key": "start-" + f.id }, t("forms.start")))))
      : el("div", { class: "card empty" }, el("p", {}, el("b", {}, t("forms.none"))), el("p", {}, t(navigator.onLine && refreshed ? "forms.none.online" : "forms.none.offline"))),
    drafts.length ? el("h2", {}, t("forms.drafts")) : "",
    drafts.length ? el("ul", { class: "cards" }, ...drafts.map((r) => card(r, "h3"))) : "",
    el("section", { class: "foot" },
      here.failure ? el("p", { class: "note bad", role: "alert" }, t("forms.failed", here.failure)) : "",
      el("p", { class: "quiet" }, refreshed ? t("forms.refreshed", when(refreshed)) : t("forms.never"), " ", t({ ready: "forms.ready", pending: "forms.notready", insecure: "forms.insecure" }[here.offline])),
      button(t("forms.refresh"), "refresh", getForms),
      here.install ? button(t("install.do"), "install", install) : "",
      await room()));
}

async function records() {
  const all = (await store.records()).sort((a, b) => b.changed - a.changed);
  const waiting = all.filter((r) => r.state === "queued");
  const last = here.finished && all.find((r) => r.id === here.finished);
  const known = last && (await store.form(last.form));
  const asked = new Map();
  for (const f of await store.forms()) if (all.some((r) => r.form === f.key && r.remarks?.length)) asked.set(f.key, labels(f, here.lang));
  fillIn("#main", notices(), el("h1", {}, t("records")), ...asks(all),
    last ? el("div", { class: "card done", role: "status" }, el("p", {}, el("b", {}, t("records.saved"))),
      known?.current ? el("a", { class: "button main", href: "#fill=" + encodeURIComponent(last.form), "data-key": "another" }, t("records.another")) : "") : "",
    all.length ? el("div", { class: "row sendbar" }, el("p", { class: "grow", role: "status" }, waiting.length ? t("records.waiting", waiting.length) : t("records.allsent")),
      waiting.length ? button(t("records.send"), "send", async () => { await due(); send(); }, last ? "" : "main") : "") : "",
    all.length ? el("ul", { class: "cards" }, ...all.map((r) => card(r, "h2", asked.get(r.form)))) : el("div", { class: "card empty" }, el("p", {}, el("b", {}, t("records.none"))), el("p", {}, t("records.none.do"))),
    referrals(), figures(), el("section", { class: "foot" }, await room()));
}

/** What became of the people referred from here: how far it is, not why. */
function referrals() {
  const list = here.desk?.referrals ?? [];
  if (!list.length) return "";
  return el("section", { class: "card referrals" }, el("h2", {}, t("referrals.title")), el("p", { class: "quiet" }, t("referrals.what")),
    el("ul", { class: "told" }, ...list.map((r) => el("li", { "data-referral": r.number }, el("b", {}, t("referrals." + r.outcome)), " ", el("span", {}, r.programme[here.lang] ?? r.programme.en), el("p", { class: "quiet" }, [r.point?.[here.lang] ?? r.point?.en, when(Date.parse(r.met))].filter(Boolean).join(" · "), " · ", el("bdi", { dir: "ltr" }, r.number))))));
}

/** Questions of the office. An answer is kept until the office has it. */
function asks(all) {
  return (here.desk?.questions ?? []).map((q) => {
    const r = all.find((x) => x.instance === q.record), given = here.answers[q.seq], id = "answer-" + q.seq;
    const box = el("textarea", { id, rows: "2", maxlength: "1000", "data-key": id, oninput: (e) => { here.typing[q.seq] = e.target.value; } });
    box.value = here.typing[q.seq] ?? "";
    return el("div", { class: "card question", "data-question": String(q.seq) },
      el("h2", {}, t("ask.title")), el("p", { class: "quiet" }, el("bdi", {}, (r ? r.name || r.title : q.name) || q.record), " · ", when(Date.parse(q.asked))), el("p", {}, el("b", {}, el("bdi", {}, q.body))),
      given ? el("p", { class: "note", role: "status" }, t("ask.waits"), " ", el("bdi", {}, given))
        : el("div", {}, el("label", { for: id }, t("ask.answer")), box,
          el("div", { class: "acts" }, button(t("ask.do"), "say-" + q.seq, async () => {
            const text = (here.typing[q.seq] ?? "").trim();
            if (!text) return box.focus();
            here.answers = { ...here.answers, [q.seq]: text };
            await store.set("answers", here.answers);
            draw();
            talk();
          }, "main"))));
  });
}

/** How this device does beside the team: for support. */
function figures() {
  const { own, team } = here.desk ?? {};
  if (!own) return "";
  const share = (v) => new Intl.NumberFormat(here.lang === "ar" ? "ar-u-nu-latn" : here.lang, { style: "percent" }).format(v);
  const time = (s) => (s ? t("figures.minutes", new Intl.NumberFormat(here.lang === "ar" ? "ar-u-nu-latn" : here.lang, { maximumFractionDigits: 1 }).format(s / 60)) : "–");
  const line = (key, a, b) => el("tr", {}, el("th", { scope: "row" }, t(key)), el("td", {}, a), el("td", {}, b));
  return el("section", { class: "card figures" }, el("h2", {}, t("figures.title")), el("p", { class: "quiet" }, t("figures.what")),
    el("table", {}, el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, t("figures.own")), el("th", { scope: "col" }, t("figures.team")))),
      el("tbody", {}, line("figures.records", String(own.records), String(team.records)), line("figures.complete", share(own.complete), share(team.complete)),
        line("figures.flagged", String(own.flagged), String(team.flagged)), line("figures.time", time(own.seconds), time(team.seconds)))));
}

/** One record: what it is, how far it is, what can be done with it. */
function card(r, heading, asked) {
  const sending = r.state === "queued" && r.id in here.progress;
  const state = sending ? "sending" : r.state;
  const say_ = [];
  if (r.error && (r.state === "queued" || r.state === "refused") && !sending) say_.push(el("p", { class: "note bad" }, why(r.error), r.state === "queued" && r.next > Date.now() ? " " + t("record.next", when(r.next)) : ""));
  if (r.remarks?.length) say_.push(el("div", { class: "note" }, el("b", {}, t("record.remarks")), el("ul", {}, ...r.remarks.map((m) => el("li", {}, m.text[here.lang] ?? m.text, asked?.get(m.where) ? el("div", { class: "quiet" }, el("bdi", {}, asked.get(m.where))) : "")))));
  if (r.missing?.length) say_.push(el("p", { class: "note bad" }, t("record.missing", r.missing.map((m) => "\u2068" + m + "\u2069").join(", "))));
  const name = r.name || t("record.untitled");
  const act = [];
  if (r.state === "draft") act.push(el("a", { class: "button main", href: "#draft=" + r.id, "data-key": "open-" + r.id }, t("record.open")));
  if ((r.state === "queued" && r.tries > 0 && !sending) || r.state === "refused") act.push(button(t("record.retry"), "retry-" + r.id, async () => { await due(r.id); tell({ type: "change" }); send(); }));
  // Once it was on its way it may have arrived: other answers would be a second
  // record under the same number.
  if (r.state === "queued" && r.tries === 0 && !sending) act.push(button(t("record.edit"), "edit-" + r.id, async () => { await reopen(r); }));
  if (!sending) act.push(button(t("record.delete"), "delete-" + r.id, () => erase(r), "plain"));
  return el("li", { class: "card record", "data-state": state, "data-id": r.id },
    el("div", { class: "row" }, el("div", { class: "grow" }, el(heading, {}, el("bdi", {}, name)), el("p", { class: "quiet" }, el("bdi", {}, titled(r, here.lang))), el("p", { class: "quiet" }, r.sent ? t("record.sentat", when(r.sent)) : t("record.changed", when(r.changed)), r.files.length ? " · " + t("record.photos", r.files.length) : "")),
      el("span", { class: "state " + state }, t("state." + state))),
    sending ? el("p", { class: "row" }, el("progress", { max: "1", value: here.progress[r.id], "aria-label": t("state.sending"), "data-progress": r.id }), el("span", { class: "quiet" }, t("record.progress", Math.round(here.progress[r.id] * 100)))) : "",
    ...say_, el("div", { class: "acts" }, ...act));
}

/** What went wrong, in the reader's language: the server's own words if it gave any
 *  in that language. */
function why(e) {
  if (e.kind === "network") return t("error.network");
  // Its own words are in the language of the moment, and say more than ours.
  if (e.said && e.lang === here.lang) return e.said;
  if (e.kind === "device") return t("enrol.unknown");
  if (e.kind === "busy") return t("error.busy");
  const own = t("error." + e.status);
  return own.startsWith("error.") ? t("error.status", e.status) : own;
}

function notices() {
  return el("div", { class: "notices" },
    here.refused ? el("p", { class: "note bad", role: "alert" }, t("device.refused")) : "",
    here.waiting ? el("p", { class: "note row" }, el("span", { class: "grow" }, t("update.ready")), button(t("update.do"), "update", () => here.waiting.postMessage("now"))) : "");
}

/** How much room there is, and whether the browser promises to keep it. */
async function room() {
  const e = await navigator.storage?.estimate?.().catch(() => null);
  if (!e?.quota) return "";
  const left = e.quota - e.usage, kept = await navigator.storage.persisted?.().catch(() => false);
  return el("div", {}, left < 100e6 ? el("p", { class: "note bad" }, t("storage.low", size(here.lang, left))) : "",
    el("p", { class: "quiet" }, t("storage.used", size(here.lang, e.usage), size(here.lang, left)), " ", t(kept ? "storage.kept" : "storage.notkept")),
    el("p", { class: "quiet" }, t("engine.by")));
}

// ---- what people do

async function speak(lang) {
  here.lang = lang;
  document.documentElement.lang = lang;
  document.documentElement.dir = lang === "ar" ? "rtl" : "ltr";
  await store.set("lang", lang).catch(() => {});
  form?.speak(lang);
  await draw();
  document.querySelector(`[data-key="lang-${lang}"]`)?.focus();
}

async function enrol(token) {
  if (here.token && here.token !== token && !(await ask(t("enrol.other.title"), t("enrol.other"), t("enrol.other.do"), t("cancel")))) return;
  try {
    here.device = await server.device(token, here.lang);
    here.failure = "";
  } catch (e) {
    if (e.kind === "device" || e.kind === "refused") {
      here.failure = t("enrol.unknown");
      return draw();
    }
    here.failure = t("enrol.offline");
  }
  here.token = token;
  here.refused = false;
  await store.set("token", token);
  await store.set("device", here.device);
  await store.set("refused", false);
  navigator.storage?.persist?.();
  await getForms();
  await due();
  send();
}

async function getForms() {
  try {
    here.device = await server.device(here.token, here.lang);
    await store.set("device", here.device);
    await refresh(here.token);
    here.failure = "";
  } catch (e) {
    here.failure = e.kind ? why(e) : String(e.message ?? e);
    if (e.kind === "device") await store.set("refused", (here.refused = true));
  }
  draw();
}

async function install() {
  here.install.prompt();
  await here.install.userChoice;
  here.install = null;
  draw();
}

async function erase(r) {
  const unsent = !r.sent;
  if (!(await ask(t("delete.title"), t(unsent ? "delete.unsent" : "delete.sent"), t("delete.do"), t("cancel")))) return;
  await store.remove(r.id);
  tell({ type: "change" });
}

async function reopen(r) {
  // The sender may have taken it since the list was drawn.
  const now = await alone("dtm-entry-send", { ifAvailable: true }, (lock) => lock && store.change(r.id, (x) => (x.state === "queued" && x.tries === 0 ? { ...x, state: "draft" } : undefined)));
  if (now?.state === "draft") location.hash = "#draft=" + r.id;
  else draw();
}

// ---- filling

async function open() {
  const [kind, arg] = location.hash.slice(1).split("=");
  const draft = kind === "draft" ? await store.record(decodeURIComponent(arg)) : null;
  if (kind === "draft" && draft?.state !== "draft") { location.replace("#records"); return; }
  const key = draft ? draft.form : decodeURIComponent(arg);
  const f = await store.form(key);
  if (!f) return fillIn("#main", el("p", { class: "note bad", role: "alert" }, t("record.gone")), el("a", { class: "button", href: "#forms" }, t("forms")));
  fillIn("#main", el("p", { class: "quiet", role: "status" }, t("loading")));
  const { Fill } = await import("./fill.js");
  form = new Fill({ form: f, draft, lang: here.lang, device: here.device, done: async (id) => {
    here.finished = id;
    form = null;
    location.hash = "#records";
    tell({ type: "change" });
    const sync = (await navigator.serviceWorker?.ready.catch(() => null))?.sync;
    sync?.register("dtm-entry-send").catch(() => {});
    navigator.storage?.persist?.();
    send();
  } });
  await form.show(document.querySelector("#main"));
}

async function leave() {
  const open = form;
  form = null;
  await open?.close();
  if (view() !== "records") here.finished = null;
  await draw();
  document.querySelector("#main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

// ---- sending, and what became of it

let timer;
async function send() {
  clearTimeout(timer);
  if (!here.token) return;
  const next = await sendAll(here.lang).catch((e) => { console.error(e); return Date.now() + 30_000; });
  here.refused = !!(await store.setting("refused"));
  here.progress = {};
  draw();
  if (next) timer = setTimeout(send, Math.max(1000, next - Date.now()));
  learn();
  talk();
}

/** Sends answers that wait, and hears what the office asks. */
async function talk() {
  if (!here.token || !navigator.onLine) return;
  try {
    for (const [seq, text] of Object.entries(here.answers)) {
      try {
        await server.answer(here.token, here.lang, Number(seq), text);
      } catch (e) {
        if (e.kind !== "refused") throw e; // answered already, or taken back: no more to say
      }
      const { [seq]: _, ...rest } = here.answers;
      here.answers = rest;
      await store.set("answers", rest);
    }
    here.desk = await server.desk(here.token, here.lang);
    await store.set("desk", here.desk);
  } catch {
    return;
  }
  draw();
}

let learning;
/** Asks what became of records that were sent, until the server has looked at them. */
async function learn() {
  clearTimeout(learning);
  const day = 86_400_000, now = Date.now();
  const sent = (await store.records()).filter((r) => ["sent", "received", "remarks"].includes(r.state) && now - r.sent < 30 * day).sort((a, b) => b.sent - a.sent).slice(0, 200);
  if (!sent.length || !here.token || !navigator.onLine) return;
  let answer;
  try {
    answer = await server.fate(here.token, here.lang, sent.map((r) => r.instance));
  } catch {
    return;
  }
  let changed = false;
  for (const a of answer.records) {
    const r = sent.find((x) => x.instance === a.id);
    if (!r) continue;
    const state = a.remarks.length ? "remarks" : "received";
    if (JSON.stringify([r.state, r.remarks ?? [], r.missing ?? []]) === JSON.stringify([state, a.remarks, a.missing])) continue;
    changed = true;
    // A photo that the office lacks is sent again, if it is still here.
    const again = (r.again ?? 0) < 3 ? a.missing.filter((m) => r.files.some((f) => f.name === m && f.done)) : [];
    await store.change(r.id, (x) => ({ ...x, state, remarks: a.remarks, missing: a.missing }));
    if (!a.missing.length) await store.dropFiles(r.id);
    else if (again.length) await store.change(r.id, (x) => ({ ...x, state: "queued", again: (x.again ?? 0) + 1, next: now + 60_000, files: x.files.map((f) => (again.includes(f.name) ? { ...f, done: false } : f)) }));
  }
  if (changed) tell({ type: "change" });
  // Checks run within seconds of the arrival; corrections of staff come later.
  const newest = now - sent[0].sent;
  if (newest < 10 * 60_000) learning = setTimeout(learn, newest < 15_000 ? 2_000 : 60_000);
}

// ---- start

self.addEventListener("entry", (e) => {
  const { type, id, share } = e.detail;
  if (type === "progress") {
    const known = id in here.progress;
    here.progress[id] = share;
    const bar = document.querySelector(`[data-progress="${id}"]`);
    if (known && bar) {
      bar.value = share;
      bar.nextElementSibling.textContent = t("record.progress", Math.round(share * 100));
      return;
    }
  } else {
    delete here.progress[id];
    if (type === "sent") setTimeout(learn, 1500);
  }
  draw();
});
addEventListener("hashchange", () => {
  const token = location.hash.slice(1);
  if (server.tokenShape.test(token)) {
    history.replaceState(null, "", location.pathname);
    enrol(token);
  }
  leave();
});
addEventListener("online", async () => { await due(); head(); getForms(); send(); });
addEventListener("offline", draw);
document.querySelector("#skip").addEventListener("click", (e) => { e.preventDefault(); document.querySelector("#main").focus(); });
addEventListener("beforeinstallprompt", (e) => { e.preventDefault(); here.install = e; draw(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") send(); });

async function worker() {
  if (!("serviceWorker" in navigator)) { here.offline = "insecure"; return draw(); }
  const r = await navigator.serviceWorker.register("/entry/sw.js", { scope: "/entry/", updateViaCache: "none" });
  const offer = () => { if (r.waiting && navigator.serviceWorker.controller) { here.waiting = r.waiting; draw(); } };
  offer();
  r.addEventListener("updatefound", () => r.installing?.addEventListener("statechange", offer));
  let had = !!navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("controllerchange", async () => {
    if (had) { await form?.close(); location.reload(); }
    had = true;
  });
  await navigator.serviceWorker.ready;
  here.offline = "ready";
  draw();
}

async function start() {
  const [lang, token, device, refused, desk, answers] = await Promise.all(["lang", "token", "device", "refused", "desk", "answers"].map(store.setting));
  Object.assign(here, { desk: desk ?? null, answers: answers ?? {} });
  Object.assign(here, { lang: lang ?? preferred(), token: token ?? "", device: device ?? null, refused: !!refused });
  document.documentElement.lang = here.lang;
  document.documentElement.dir = here.lang === "ar" ? "rtl" : "ltr";
  const given = location.hash.slice(1);
  worker().catch((e) => { console.warn(e); here.offline = "insecure"; draw(); });
  if (server.tokenShape.test(given)) {
    history.replaceState(null, "", location.pathname); // not to be seen over the shoulder, nor kept in the history
    await draw();
    await enrol(given);
  } else {
    await draw();
    if (here.token) getForms();
  }
  send();
}
start();
