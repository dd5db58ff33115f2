// The form library's own words in the page's languages. It has them in English,
// fixed in its templates, so they are replaced where they appear on the page: only
// texts that are known whole, and the shortest ones on its buttons only, so that
// no word of a form is touched.

const locale = { en: "en-GB", fr: "fr", ar: "ar-u-nu-latn" };

// English of the library: [English of ours, French, Arabic].
const anywhere = {
  "Condition not satisfied: required": ["An answer is needed here.", "Une réponse est nécessaire ici.", "الإجابة مطلوبة هنا."],
  "Condition not satisfied: constraint": ["This answer cannot be right. Check it.", "Cette réponse ne peut pas être juste. Vérifiez-la.", "لا يمكن أن تكون هذه الإجابة صحيحة. تحقق منها."],
  "Take picture": ["Take picture", "Prendre une photo", "التقاط صورة"],
  "Choose image": ["Choose image", "Choisir une image", "اختيار صورة"],
  "Get location": ["Get location", "Obtenir la position", "تحديد الموقع"],
  "Finding your location": ["Finding your location", "Recherche de votre position", "جارٍ تحديد موقعك"],
  "Save location": ["Save location", "Enregistrer la position", "حفظ الموقع"],
  "Time taken to capture location:": ["Time taken:", "Temps écoulé\u202f:", "الوقت المستغرق:"],
  "Good accuracy": ["Good accuracy", "Bonne précision", "دقة جيدة"],
  "Poor accuracy": ["Poor accuracy", "Faible précision", "دقة ضعيفة"],
  "Unknown accuracy": ["Unknown accuracy", "Précision inconnue", "دقة غير معروفة"],
  "Cannot access location": ["The position is not available.", "La position n’est pas disponible.", "الموقع غير متاح."],
  "Grant location permission in the browser settings and make sure location is turned on.":
    ["Allow it in the browser’s settings and switch the device’s location on.", "Autorisez-la dans les réglages du navigateur et activez la localisation de l’appareil.", "اسمح به في إعدادات المتصفح وشغّل خدمة الموقع في الجهاز."],
  "Location unavailable. Enable GPS and browser permissions, then restart the form to try again.":
    ["The position is not available. Switch the device’s location on and allow it in the browser.", "La position n’est pas disponible. Activez la localisation de l’appareil et autorisez-la dans le navigateur.", "الموقع غير متاح. شغّل خدمة الموقع في الجهاز واسمح بها في المتصفح."],
  "Rank items": ["Put in order", "Classer", "ترتيب العناصر"],
  "Repeat Item": ["Entry", "Élément", "عنصر"],
  "No results found": ["Nothing found", "Aucun résultat", "لا نتائج"],
  "No available options": ["Nothing to choose from", "Aucun choix possible", "لا توجد خيارات"],
  "Unable to load map": ["The map cannot be shown.", "La carte ne peut pas être affichée.", "تعذّر عرض الخريطة."],
  "🚧 Support for non-image uploads is pending. 🚧": ["This page takes photos only, no other files. Use the app for this question.", "Cette page ne prend que des photos, pas d’autres fichiers. Utilisez l’application pour cette question.", "تقبل هذه الصفحة الصور فقط. استعمل التطبيق لهذا السؤال."],
  "Audio file failed to load": ["The sound cannot be played.", "Le son ne peut pas être lu.", "تعذّر تشغيل الصوت."],
  "Add my position": ["Add my position", "Ajouter ma position", "إضافة موقعي"],
  "Remove the last": ["Remove the last", "Retirer la dernière", "حذف الأخير"],
  "Remove position": ["Remove position", "Retirer la position", "حذف الموقع"],
  "No position yet": ["No position yet", "Pas encore de position", "لا موقع بعد"],
  "Latitude": ["Latitude", "Latitude", "خط العرض"],
  "Longitude": ["Longitude", "Longitude", "خط الطول"],
  "Accuracy": ["Accuracy", "Précision", "الدقة"],
};
const onButtons = {
  "Send": ["Finish and send", "Terminer et envoyer", "إنهاء وإرسال"],
  "Cancel": ["Cancel", "Annuler", "إلغاء"],
  "Remove": ["Remove", "Retirer", "حذف"],
  "Add": ["Add", "Ajouter", "إضافة"],
  "Okay": ["Done", "C’est fait", "تم"],
  "Try again": ["Try again", "Réessayer", "إعادة المحاولة"],
};
const attributes = { ...onButtons, "Captured image preview": ["The photo taken", "La photo prise", "الصورة الملتقطة"], "Close": ["Close", "Fermer", "إغلاق"] };

const nth = { en: 0, fr: 1, ar: 2 };
const patterns = [
  [/^(\d+) questions? with errors?\.$/, (lang, n) => {
    const k = new Intl.PluralRules(lang).select(+n);
    return {
      en: +n === 1 ? "1 question needs your attention." : `${n} questions need your attention.`,
      fr: k === "one" ? `${n} question est à revoir.` : `${n} questions sont à revoir.`,
      ar: { one: "سؤال واحد يحتاج إلى مراجعة.", two: "سؤالان يحتاجان إلى مراجعة.", few: `${n} أسئلة تحتاج إلى مراجعة.` }[k] ?? `${n} سؤالاً يحتاج إلى مراجعة.`,
    }[lang];
  }],
  [/^([\d.]+) m - (.+)$/, (lang, m, q) => `${m} ${lang === "ar" ? "م" : "m"} – ${anywhere[q]?.[nth[lang]] ?? q}`],
  [/^Location will be saved at ([\d.]+) m$/, (lang, m) => ({ en: `Saved by itself at ${m} m.`, fr: `Enregistrée d’elle-même à ${m} m.`, ar: `يُحفظ تلقائياً عند دقة ${m} م.` })[lang]],
  [/^Previous saved location at ([\d.]+) m$/, (lang, m) => ({ en: `Saved before at ${m} m.`, fr: `Enregistrée auparavant à ${m} m.`, ar: `الموقع المحفوظ سابقاً بدقة ${m} م.` })[lang]],
  [/^Accuracy: ([\d.]+) m,$/, (lang, m) => ({ en: `Accuracy ${m} m,`, fr: `Précision ${m} m,`, ar: `الدقة ${m} م،` })[lang]],
  [/^(Latitude|Longitude): (-?[\d.]+)([,.])$/, (lang, w, n, end) => `${anywhere[w][nth[lang]]} \u2066${n}\u2069${lang === "ar" && end === "," ? "،" : end}`],
  [/^Unsupported field type: (.+)$/, (lang, w) => ({ en: `This page cannot ask “${w}”. Use the app for this question.`, fr: `Cette page ne sait pas poser «\u202f${w}\u202f». Utilisez l’application pour cette question.`, ar: `لا تستطيع هذه الصفحة طرح «${w}». استعمل التطبيق لهذا السؤال.` })[lang]],
];

/** Keeps the library's words on the page in one language. */
export class Words {
  constructor(lang) {
    this.lang = lang;
    this.was = new WeakMap(); // text node -> [what the library wrote, what we wrote]
    this.watch = new MutationObserver((all) => {
      for (const m of all) {
        if (m.type === "characterData") this.text(m.target);
        else for (const n of m.addedNodes) this.all(n);
      }
      this.soon ??= requestAnimationFrame(() => { this.soon = undefined; name(); });
    });
    this.watch.observe(document.body, { childList: true, subtree: true, characterData: true });
  }

  speak(lang) {
    this.lang = lang;
    this.all(document.body);
  }

  close() {
    this.watch.disconnect();
    cancelAnimationFrame(this.soon);
  }

  all(node) {
    if (node.nodeType === Node.TEXT_NODE) return this.text(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) this.text(walk.currentNode);
    for (const e of node.querySelectorAll("[aria-label],img[alt]"))
      for (const a of ["aria-label", "alt"]) {
        const v = e.getAttribute(a), own = e.dataset["word" + a.length] ?? v;
        if (attributes[own]) { e.dataset["word" + a.length] = own; e.setAttribute(a, attributes[own][nth[this.lang]]); }
      }
    // A button that shows a sign only.
    for (const e of node.querySelectorAll(".button-menu:not([data-named]),.clear-button,.button-menu")) e.setAttribute("aria-label", { en: ["More", "Remove the photo"], fr: ["Plus", "Retirer la photo"], ar: ["المزيد", "حذف الصورة"] }[this.lang][e.matches(".clear-button") ? 1 : 0]);
  }

  text(node) {
    const past = this.was.get(node), now = node.nodeValue;
    const theirs = past && past[1] === now ? past[0] : now;
    const word = theirs.trim();
    if (!word || !node.parentElement?.closest(".odk-form,.p-component,.p-dialog,.p-menu,.p-overlay")) return;
    const ours = this.say(word, node.parentElement);
    if (ours === undefined) { if (past) this.was.delete(node); return; }
    const whole = theirs.replace(word, () => ours);
    this.was.set(node, [theirs, whole]);
    if (whole !== now) node.nodeValue = whole;
  }

  say(word, at) {
    const n = nth[this.lang];
    if (Object.hasOwn(anywhere, word)) return anywhere[word][n];
    if (Object.hasOwn(onButtons, word) && at.closest("button,.p-menu-item,.label-text") && !at.closest(".control-text")) return onButtons[word][n];
    for (const [p, say] of patterns) {
      const m = p.exec(word);
      if (m) return say(this.lang, ...m.slice(1));
    }
    // A sum over an empty answer is not a number: nothing to show.
    if (/(^|\W)NaN(\W|$)/.test(word) && !at.closest("input,textarea")) return word.replace(/(^|\W)NaN(?=\W|$)/g, "$1–");
  }
}

let named = 0;
/** Tells readers of the screen what each field asks: the library ties its labels to
 *  boxes that are no fields. */
function name() {
  for (const q of document.querySelectorAll(".odk-form .question-container")) {
    const label = q.querySelector(".control-text label");
    if (!label) continue;
    label.id ||= "asked-" + ++named;
    const by = (e) => e.getAttribute("aria-labelledby") === label.id || e.setAttribute("aria-labelledby", label.id);
    q.querySelectorAll("[role=combobox],[role=spinbutton],[role=listbox],input.p-inputtext,textarea").forEach(by);
    const choices = q.querySelector(".value-option")?.parentElement;
    if (choices) { choices.setAttribute("role", choices.querySelector("[type=radio]") ? "radiogroup" : "group"); by(choices); }
  }
  // Regions named by a button without a name, many of them alike.
  for (const e of document.querySelectorAll(".odk-form .p-panel-content-container[role=region]")) {
    e.setAttribute("role", "group");
    const title = e.parentElement.querySelector(".panel-title h2");
    if (title) { title.id ||= "asked-" + ++named; e.setAttribute("aria-labelledby", title.id); }
  }
  // What looks like a button and folds a group must work from the keyboard.
  for (const e of document.querySelectorAll(".odk-form .panel-title[role=button]:not([tabindex])")) {
    e.tabIndex = 0;
    e.addEventListener("keydown", (k) => { if (k.key === "Enter" || k.key === " ") { k.preventDefault(); e.click(); } });
  }
}

/** Names of months and days, and what the library's calendar says. */
export function calendar(app, lang) {
  const config = app.config.globalProperties.$primevue?.config;
  if (!config) return;
  const of = (options, dates) => dates.map((d) => new Intl.DateTimeFormat(locale[lang], { ...options, timeZone: "UTC" }).format(d));
  const months = [...Array(12).keys()].map((m) => new Date(Date.UTC(2023, m, 15)));
  const days = [...Array(7).keys()].map((d) => new Date(Date.UTC(2023, 0, 1 + d))); // a Sunday
  const say = (en, fr, ar) => ({ en, fr, ar })[lang];
  Object.assign(config.locale, {
    monthNames: of({ month: "long" }, months), monthNamesShort: of({ month: "short" }, months),
    dayNames: of({ weekday: "long" }, days), dayNamesShort: of({ weekday: "short" }, days), dayNamesMin: of({ weekday: "narrow" }, days),
    firstDayOfWeek: say(1, 1, 6), dateFormat: "dd/mm/yy",
    today: say("Today", "Aujourd’hui", "اليوم"), clear: say("Clear", "Effacer", "مسح"),
    chooseDate: say("Choose a date", "Choisir une date", "اختيار تاريخ"), chooseMonth: say("Choose a month", "Choisir un mois", "اختيار شهر"), chooseYear: say("Choose a year", "Choisir une année", "اختيار سنة"),
    prevMonth: say("Month before", "Mois précédent", "الشهر السابق"), nextMonth: say("Month after", "Mois suivant", "الشهر التالي"),
    prevYear: say("Year before", "Année précédente", "السنة السابقة"), nextYear: say("Year after", "Année suivante", "السنة التالية"),
    emptyMessage: say("Nothing to choose from", "Aucun choix possible", "لا توجد خيارات"), emptyFilterMessage: say("Nothing found", "Aucun résultat", "لا نتائج"),
    emptySearchMessage: say("Nothing found", "Aucun résultat", "لا نتائج"), searchMessage: say("{0} found", "{0} trouvés", "عُثر على {0}"),
    selectionMessage: say("{0} chosen", "{0} choisis", "اختير {0}"), emptySelectionMessage: say("Nothing chosen", "Rien de choisi", "لم يُختر شيء"),
  });
  Object.assign(config.locale.aria, { close: say("Close", "Fermer", "إغلاق"), previous: say("Previous", "Précédent", "السابق"), next: say("Next", "Suivant", "التالي") });
}
