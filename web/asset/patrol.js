// Answers given without network are kept on this phone, in order, and sent when it
// comes back. What is kept names a referral and an answer, never a person. Without this
// the page works by its forms alone.
"use strict";
(() => {
  const name = "dtm-patrol", said = document.body.dataset, net = document.getElementById("net");
  const read = () => { try { return JSON.parse(localStorage.getItem(name)) || []; } catch { return []; } };
  const write = (list) => localStorage.setItem(name, JSON.stringify(list));
  const row = (id) => document.getElementById("r" + id);
  let sending = false;

  const note = (id, text, cls) => {
    const r = row(id);
    if (!r) return;
    const p = r.querySelector(".k") ?? r.appendChild(document.createElement("p"));
    p.className = cls;
    p.setAttribute("role", "status");
    p.textContent = text;
  };

  // What was answered is no longer asked; after a first answer comes the next question.
  const shown = (x) => {
    const r = row(x.id);
    if (!r) return;
    r.querySelectorAll("form").forEach((f) => f.remove());
    const next = r.querySelector("template");
    if (next && x.tap.startsWith("accept")) r.append(next.content.cloneNode(true));
    next?.remove();
    note(x.id, said.kept + " " + x.label, "k");
  };

  async function send() {
    if (sending) return;
    sending = true;
    let any = false;
    try {
      for (let list = read(); list.length; list = read()) {
        const x = list[0];
        const r = await fetch(x.at, { method: "POST", body: new URLSearchParams({ back: "patrol", version: x.version, tap: x.tap }), credentials: "same-origin" });
        if (r.status >= 500 || r.status === 429) break;
        if (new URL(r.url).pathname.includes("/sign") || new URL(r.url).pathname.includes("/second")) { net.textContent = said.signin; break; }
        any = true;
        if (r.ok) write(read().slice(1));
        else { // somebody answered meanwhile: what followed from this answer is void too
          write(read().slice(1).filter((y) => y.id !== x.id));
          sessionStorage.setItem(name, said.stale);
        }
      }
    } catch { /* no network: they stay */ } finally { sending = false; }
    if (any && !read().length) location.reload();
  }

  document.addEventListener("submit", (e) => {
    const b = e.submitter;
    if (b?.name !== "tap") return;
    e.preventDefault();
    const f = e.target, x = { id: f.closest("section").dataset.id, at: f.getAttribute("action"), version: f.elements.version.value, tap: b.value, label: b.textContent };
    write([...read(), x]);
    shown(x);
    send();
  });
  addEventListener("online", send);
  const left = sessionStorage.getItem(name);
  if (left) { net.textContent = left; sessionStorage.removeItem(name); }
  read().forEach(shown);
  send();
})();
