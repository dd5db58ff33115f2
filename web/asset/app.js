// Values of charts under pointer, finger and arrow keys. The page is complete
// without it: every value is in the table, most are beside their marks.
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status"); // read out when it changes
  document.body.append(tip);
  let on = null;

  function hide() {
    if (on) on.classList.remove("on");
    on = null;
    tip.classList.remove("shown");
    tip.replaceChildren();
  }

  function show(mark) {
    if (mark === on) return;
    hide();
    on = mark;
    mark.classList.add("on");
    const value = document.createElement("strong");
    value.textContent = mark.dataset.value;
    tip.append(mark.dataset.label, document.createElement("br"), value);
    tip.classList.add("shown");
    place();
  }

  // Above the mark, or below it where there is no room; never over the edge.
  function place() {
    const m = on.getBoundingClientRect(), t = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - t.width - 8;
    tip.style.left = Math.max(8, Math.min(m.left + m.width / 2 - t.width / 2, room)) + "px";
    tip.style.top = (m.top - t.height - 8 < 8 ? m.bottom + 8 : m.top - t.height - 8) + "px";
  }

  for (const draw of document.querySelectorAll(".draw")) {
    const marks = [...draw.querySelectorAll(".mark")];
    if (!marks.length) continue;
    for (const m of marks) m.querySelector(":scope>title")?.remove(); // one tooltip, not two
    draw.tabIndex = 0;
    draw.setAttribute("role", "group");
    const named = draw.closest("[aria-labelledby]"); // a panel, or the page's section
    if (named) draw.setAttribute("aria-labelledby", named.getAttribute("aria-labelledby"));
    draw.setAttribute("aria-keyshortcuts", "ArrowRight ArrowLeft Home End Escape");

    const under = e => { const m = e.target.closest(".mark"); m ? show(m) : hide(); };
    draw.addEventListener("pointermove", under);
    draw.addEventListener("pointerdown", under);
    draw.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") hide(); });
    draw.addEventListener("blur", hide);
    draw.addEventListener("keydown", e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const at = marks.indexOf(on), last = marks.length - 1;
      let to;
      switch (e.key) {
        case "ArrowRight": case "ArrowDown": to = at < 0 ? 0 : Math.min(at + 1, last); break;
        case "ArrowLeft": case "ArrowUp": to = at < 0 ? last : Math.max(at - 1, 0); break;
        case "Home": to = 0; break;
        case "End": to = last; break;
        case "Escape": hide(); return;
        default: return;
      }
      e.preventDefault();
      marks[to].scrollIntoView({ block: "nearest" });
      show(marks[to]);
    });
  }
  // By keys it follows its mark; under a pointer another mark comes to lie there.
  addEventListener("scroll", () => { if (on) on.closest(".draw") === document.activeElement ? place() : hide(); }, { passive: true });
})();

// A form whose answer takes long says that work goes on, and for how long it has.
(() => {
  for (const form of document.querySelectorAll("form[data-busy]")) {
    const said = document.createElement("p"), lasted = document.createElement("span");
    said.className = "busy";
    said.setAttribute("role", "status");
    form.append(said); // empty until it speaks: what is read out must be there before
    const button = form.querySelector("button[type=submit]");
    let clock;
    form.addEventListener("submit", () => {
      const began = Date.now();
      lasted.setAttribute("aria-hidden", "true"); // not read out every second
      lasted.textContent = "0:00";
      said.replaceChildren(form.dataset.busy + " ", lasted);
      clearInterval(clock);
      clock = setInterval(() => {
        const s = Math.floor((Date.now() - began) / 1000);
        lasted.textContent = Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
      }, 1000);
      button.disabled = true; // it was sent: not twice
    });
    // Back from the answer, the form may be sent again.
    addEventListener("pageshow", () => {
      clearInterval(clock);
      said.replaceChildren();
      button.disabled = false;
    });
  }
})();
