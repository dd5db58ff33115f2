// The adapter: the only module that knows the form library (@getodk/web-forms). A
// form and a draft go in; answers as OpenRosa sends them come out. What the library
// lacks is added here and in build.mjs: a draft that is opened again, words in
// French and Arabic, positions without a map of others.

import { createApp, h, toRaw } from "vue";
import { OdkWebForm, webFormsPlugin } from "@getodk/web-forms";
import { Words, calendar } from "./words.js";

/**
 * Draws a form in host.
 * xml: the XForm. medium(name): {type, data} of one of its files, or null.
 * draft: {xml, files} as snapshot gave them, or null. finish(result) is told
 * {xml, files, name, instance} when the person ends and the answers are valid.
 * Resolves to {snapshot(), speak(lang), close()}; rejects when the form cannot be
 * shown.
 */
export function show(host, { xml, lang, medium, draft, deviceID, finish }) {
  return new Promise((resolve, reject) => {
    let root;
    const words = new Words(lang);
    const app = createApp({
      render: () => h(OdkWebForm, {
        formXml: xml,
        fetchFormAttachment: async (url) => response(await medium(decodeURIComponent(String(url).split("/").at(-1)))),
        missingResourceBehavior: "BLANK",
        preloadProperties: { deviceID },
        trackDevice: false,
        editInstance: draft && { restore: () => [formData(draft)] }, // see build.mjs
        onSubmit: async (payload) => {
          const [data] = payload.data;
          const answers = await data.get("xml_submission_file").text();
          finish({ xml: answers, files: attachments(root), name: meta(answers, "instanceName"), instance: meta(answers, "instanceID") });
        },
      }),
    });
    app.use(webFormsPlugin);
    // The component keeps its state to itself; its parts are given it.
    app.mixin({
      beforeMount() {
        const { form, error } = this.$props ?? {};
        if (form?.instanceState && !root) {
          root = form;
          speak(root, lang);
        }
        if (this.$options.__name === "FormLoadFailureDialog") {
          queueMicrotask(() => { app.unmount(); words.close(); reject(toRaw(error) ?? new Error("form")); });
        }
      },
      mounted() {
        if (root && this.$props?.form === root) queueMicrotask(() => resolve({
          snapshot: () => {
            const answers = root.instanceState.instanceXML;
            return { xml: answers, files: attachments(root), name: meta(answers, "instanceName") };
          },
          speak: (l) => { speak(root, l); words.speak(l); calendar(app, l); },
          close: () => { words.close(); app.unmount(); },
        }));
      },
    });
    calendar(app, lang);
    app.mount(host);
  });
}

function response(m) {
  if (!m) return new Response("", { status: 404 });
  return new Response(m.data, { headers: { "Content-Type": m.type || "application/octet-stream" } });
}

function formData({ xml, files }) {
  const d = new FormData();
  d.set("xml_submission_file", new File([xml], "xml_submission_file", { type: "text/xml" }));
  for (const f of files) d.set(f.name, f);
  return d;
}

/** Languages of forms are named "French (fr)" or "fr" or "Français". */
function speak(root, lang) {
  const names = { en: /english/i, fr: /fran[cç]ais|french/i, ar: /arab|العربية/i };
  const all = root.languages.filter((l) => !l.isSyntheticDefault);
  const found = all.find((l) => l.language === lang || l.language.includes(`(${lang})`)) ?? all.find((l) => names[lang].test(l.language));
  if (found) root.setLanguage(found);
}

/** The files of the answers, under the names by which these mention them. */
function attachments(node, out = []) {
  const state = node.currentState;
  if (node.nodeType === "upload" && state.value) {
    const f = toRaw(state.value), name = state.instanceValue || f.name;
    out.push(f.name === name ? f : new File([f], name, { type: f.type }));
  }
  for (const child of state.children ?? []) attachments(child, out);
  return out;
}

function meta(xml, name) {
  const d = new DOMParser().parseFromString(xml, "text/xml");
  return d.getElementsByTagNameNS("*", name)[0]?.textContent.trim() ?? "";
}
