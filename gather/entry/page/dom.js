// Elements from JavaScript, without a library: text is text, never HTML.

export function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (v == null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter((c) => c !== ""));
  return e;
}

export const fillIn = (selector, ...children) => document.querySelector(selector).replaceChildren(...children.filter((c) => c !== ""));

/** Asks a question whose first answer cannot be undone. Resolves to true for it. */
export function ask(title, what, yes, no) {
  return new Promise((resolve) => {
    const d = el("dialog", { "aria-labelledby": "ask-title" },
      el("h2", { id: "ask-title" }, title), el("p", {}, what),
      el("div", { class: "acts" }, el("button", { type: "button", class: "main", onclick: () => d.close("no") }, no), el("button", { type: "button", class: "danger", onclick: () => d.close("yes") }, yes)));
    d.addEventListener("close", () => { d.remove(); resolve(d.returnValue === "yes"); });
    document.body.append(d);
    d.showModal();
  });
}
