// A draft of a form, tried in the browser before it is published: by the code after
// the #, as a phone would, and nothing is kept here. What is finished is sent as a test
// record, which the office's page of the form shows.

import * as server from "./server.js";
import { field, parse, titled, titles } from "./forms.js";
import { languages, preferred, say } from "./text.js";
import { el, fillIn } from "./dom.js";
import { show } from "./engine.js";

const here = { lang: preferred(), form: null, engine: null, sent: "" };
const t = (key, ...args) => say(here.lang, key, ...args);
const main = document.querySelector("#main");

function head() {
  document.documentElement.lang = main.lang = here.lang;
  document.documentElement.dir = here.lang === "ar" ? "rtl" : "ltr";
  document.title = here.form ? `${t("try.title")}: ${titled(here.form, here.lang)}` : t("try.title");
  fillIn("#skip", t("skip"));
  fillIn("#site", el("b", {}, t("try.title")), here.form ? el("span", { class: "device" }, titled(here.form, here.lang)) : "");
  document.querySelector("#langs").setAttribute("aria-label", t("language"));
  fillIn("#langs", ...Object.entries(languages).map(([l, name]) =>
    el("button", { type: "button", lang: l, "data-key": "lang-" + l, "aria-pressed": String(l === here.lang), onclick: () => speak(l) }, name)));
}

function speak(lang) {
  here.lang = lang;
  head();
  here.engine?.speak(lang);
  if (here.engine) fillIn("#about", about());
  if (here.engine) fillIn("#form-title", titled(here.form, lang));
  document.querySelector(`[data-key="lang-${lang}"]`)?.focus();
}

const about = () => el("p", { class: "quiet" }, t("try.about", here.form.version));
const trouble = (text) => main.replaceChildren(el("p", { class: "note bad", role: "alert" }, text));

/** The draft with its files, as the server lists it now. */
async function fetchForm(base) {
  const list = parse(await server.formListOf(base));
  const e = list.getElementsByTagNameNS("*", "xform")[0];
  const media = new Map();
  const manifest = field(e, "manifestUrl");
  if (manifest)
    for (const m of parse(await server.text(manifest)).getElementsByTagNameNS("*", "mediaFile"))
      media.set(field(m, "filename"), field(m, "downloadUrl"));
  return { title: field(e, "name"), titles: titles(e), version: field(e, "version"), xml: await server.text(field(e, "downloadUrl")), media };
}

async function fill(base) {
  here.engine?.close();
  here.engine = null;
  const host = el("div", { class: "engine" });
  main.replaceChildren(
    el("h1", {}, el("bdi", { id: "form-title" }, titled(here.form, here.lang))),
    here.sent ? el("p", { class: "note", role: "status", "data-key": "sent" }, here.sent) : "",
    el("div", { id: "about" }, about()), host);
  here.engine = await show(host, {
    xml: here.form.xml, lang: here.lang, draft: null, deviceID: "dtm-try",
    medium: (name) => (here.form.media.has(name) ? server.bytes(here.form.media.get(name)).catch(() => null) : null),
    finish: async ({ xml, files }) => {
      try {
        await server.submitTo(base, "", here.lang, xml, await Promise.all(files.map(async (f) => ({ name: f.name, type: f.type, data: await f.arrayBuffer() }))), true);
        here.sent = t("try.sent");
        await fill(base);
        scrollTo(0, 0);
      } catch (e) {
        here.sent = t("try.failed", e.said || e.message || String(e));
        const note = el("p", { class: "note bad", role: "alert" }, here.sent);
        document.querySelector("#about").replaceChildren(note);
        note.scrollIntoView({ block: "center" });
      }
    },
  });
}

async function start() {
  head();
  const [token, form] = location.hash.slice(1).split("/");
  if (!server.tokenShape.test(token ?? "") || !form) return trouble(t("try.none"));
  main.replaceChildren(el("p", { class: "quiet", role: "status" }, t("loading")));
  // The form's id stands in the address as it was put there: encoded.
  const base = `/v1/test/${encodeURIComponent(token)}/projects/1/forms/${form}/draft`;
  try {
    here.form = await fetchForm(base);
    head();
    await fill(base);
  } catch (e) {
    console.error(e);
    trouble(e.kind === "device" ? t("try.gone") : e.kind === "network" ? t("error.network") : t("fill.failed", e.said || String(e?.message ?? e)));
  }
}
document.querySelector("#skip").addEventListener("click", (e) => { e.preventDefault(); main.focus(); });
addEventListener("hashchange", () => { here.sent = ""; start(); });
start();
