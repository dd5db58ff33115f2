// The review's queue by keys. Everything it does can be done without it.
"use strict";
(() => {
  const form = document.getElementById("queue") || document.createElement("form"); // nothing may be left to decide
  const rows = [...form.querySelectorAll(".pick>li")];
  const box = row => row.querySelector("input[type=checkbox]:not(:disabled)");
  const all = document.getElementById("all");
  for (const e of form.querySelectorAll("[hidden]:not(input)")) e.hidden = false;
  let at = -1;

  function go(to) {
    if (!rows.length) return;
    at = Math.max(0, Math.min(to, rows.length - 1));
    rows.forEach((r, i) => r.classList.toggle("at", i === at));
    const target = rows[at].querySelector("input:not(:disabled)") || rows[at].querySelector("a");
    if (target) target.focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  }
  form.addEventListener("focusin", e => {
    const i = rows.findIndex(r => r.contains(e.target));
    if (i < 0) return;
    at = i;
    rows.forEach((r, k) => r.classList.toggle("at", k === at));
  });

  function decide(value) {
    if (!form.querySelector(".tick input:checked") && at >= 0 && box(rows[at])) box(rows[at]).checked = true;
    const why = form.elements.why;
    if (value === "rejected" && why && !why.value.trim()) { why.focus(); return; }
    const reason = form.elements.reason;
    if (value === "dismissed" && reason && !reason.value) { reason.focus(); return; }
    const button = form.querySelector(`button[value=${value}]`);
    if (button) form.requestSubmit(button);
  }

  // A shift with the click takes all between.
  let last = -1;
  form.addEventListener("click", e => {
    const i = rows.findIndex(r => r.contains(e.target) && e.target.type === "checkbox");
    if (i < 0) return;
    if (e.shiftKey && last >= 0) for (let k = Math.min(i, last); k <= Math.max(i, last); k++) { const b = box(rows[k]); if (b) b.checked = e.target.checked; }
    last = i;
  });
  if (all) all.addEventListener("change", () => { for (const r of rows) { const b = box(r); if (b) b.checked = all.checked; } });

  addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target.matches("select,textarea,input:not([type=checkbox])")) {
      if (e.key === "Escape") go(at);
      return;
    }
    switch (e.key) {
      case "j": case "ArrowDown": go(at + 1); break;
      case "k": case "ArrowUp": go(at - 1); break;
      case "x": if (at >= 0 && box(rows[at])) box(rows[at]).checked = !box(rows[at]).checked; break;
      case "a": if (all) { all.checked = !all.checked; all.dispatchEvent(new Event("change")); } break;
      case "o": if (at >= 0) rows[at].querySelector("a.open")?.click(); break;
      case "d": decide("dismissed"); break;
      case "c": decide("confirmed"); break;
      case "r": decide("rejected"); break;
      case "w": form.elements.why?.focus(); break;
      case "u": document.getElementById("undo")?.click(); break;
      default: return;
    }
    e.preventDefault();
  });
})();
