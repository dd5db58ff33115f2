// Fetches the forms that the device may use, with their media, so that each can be
// filled without network. A form is replaced only when all of it has come.

import * as store from "./store.js";
import * as server from "./server.js";

export const parse = (xml) => {
  const d = new DOMParser().parseFromString(xml, "text/xml");
  if (d.querySelector("parsererror")) throw new server.Failed("busy", 0, "unreadable list");
  return d;
};
export const field = (e, name) => e.getElementsByTagNameNS("*", name)[0]?.textContent.trim() ?? "";

/** A form's titles by language, of its entry in a list. */
export const titles = (e) => Object.fromEntries([...e.getElementsByTagNameNS("urn:dtm:form-list", "title")].map((t) => [t.getAttribute("xml:lang"), t.textContent]));

/** What a form, or a record's form, is called in lang. */
export const titled = (f, lang) => f.titles?.[lang] || f.title;

/** Brings the forms on the device to what the server has. */
export async function refresh(token) {
  const list = parse(await server.formList(token));
  const had = new Map((await store.forms()).map((f) => [f.key, f]));
  const out = [];
  for (const e of list.getElementsByTagNameNS("*", "xform")) {
    const id = field(e, "formID"), version = field(e, "version"), hash = field(e, "hash");
    const key = [id, version, hash].join("\n");
    const xml = had.get(key)?.xml ?? (await server.text(field(e, "downloadUrl")));
    const media = [];
    const manifest = field(e, "manifestUrl");
    if (manifest)
      for (const m of parse(await server.text(manifest)).getElementsByTagNameNS("*", "mediaFile")) {
        const one = { name: field(m, "filename"), hash: field(m, "hash") };
        if (!(await store.hasMedium(one.hash))) await store.putMedium(one.hash, await server.bytes(field(m, "downloadUrl")));
        media.push(one);
      }
    out.push({ key, id, version, hash, title: field(e, "name"), titles: titles(e), xml, media, current: true });
  }
  await store.replaceForms(out);
  await store.set("refreshed", Date.now());
}

/** What the questions of a form are called in lang: path -> label. */
export function labels(form, lang) {
  const d = parse(form.xml), out = new Map();
  const tongues = [...d.getElementsByTagNameNS("*", "translation")];
  const tongue = tongues.find((t) => { const l = t.getAttribute("lang"); return l === lang || l.includes(`(${lang})`); }) ?? tongues[0];
  const texts = new Map([...(tongue?.getElementsByTagNameNS("*", "text") ?? [])].map((t) => [t.getAttribute("id"), [...t.children].find((v) => !v.hasAttribute("form"))?.textContent.trim() ?? ""]));
  for (const l of d.getElementsByTagNameNS("*", "label")) {
    const path = l.parentElement.getAttribute("ref") ?? l.parentElement.getAttribute("nodeset");
    const id = /jr:itext\('([^']*)'\)/.exec(l.getAttribute("ref") ?? "")?.[1];
    const text = (id ? texts.get(id) : l.textContent.trim())?.replace(/\s+/g, " ");
    if (path && text && l.parentElement.localName !== "item") out.set(path, text);
  }
  return out;
}
