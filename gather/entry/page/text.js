// The page's own words in three languages, and what says them. {0}, {1} stand for
// arguments. A word with forms of number is a function of the number.

export const languages = { en: "English", fr: "Français", ar: "العربية" };

const plural = (lang, n, forms) => forms[new Intl.PluralRules(lang).select(n)] ?? forms.other;

const texts = {
  en: {
    title: "Data entry",
    skip: "Skip to content",
    forms: "Forms",
    records: "Records",
    language: "Language",
    online: "Online",
    offline: "No network",
    loading: "Loading…",

    "try.title": "Trying a draft",
    "try.about": "Draft, version {0}. What you finish here is sent as a test record: it is shown on the form’s page, counted nowhere, and erased when the draft is published or discarded.",
    "try.sent": "The test record has arrived. You can fill in another one.",
    "try.failed": "The test record was not taken: {0}",
    "try.none": "This address holds no code. Open it again from the page of the form.",
    "try.gone": "This code has ended, was renewed, or the draft was published or discarded. Open the page of the form for a new one.",

    "enrol.title": "This device is not enrolled yet",
    "enrol.what": "Open the link that the office gave you, or scan its code with the camera. Or paste the link here:",
    "enrol.label": "Link or code",
    "enrol.do": "Enrol this device",
    "enrol.bad": "This is not a link of this server. It ends in a code of 64 characters.",
    "enrol.unknown": "The server does not know this code, or it was withdrawn. Ask the office for a new one.",
    "enrol.offline": "The code is kept. It will be checked, and the forms fetched, when there is network.",
    "enrol.other.title": "Use another device code?",
    "enrol.other": "This page is already enrolled. Records that are not sent yet stay and are sent with the new code.",
    "enrol.other.do": "Use the new code",
    "device.refused": "The server no longer accepts this device. Your records are safe here. Ask the office for a new link and open it: they will be sent then.",

    "forms.none": "There is no form on this device yet.",
    "forms.none.online": "The office has not published any form. Look again later.",
    "forms.none.offline": "Connect to the network once: the forms are kept for work without network.",
    "forms.start": "New record",
    "forms.version": "Version {0}",
    "forms.refresh": "Get forms",
    "forms.refreshed": "Forms are as on the server at {0}.",
    "forms.never": "The forms were never fetched.",
    "forms.failed": "The forms could not be fetched: {0}",
    "forms.drafts": "Drafts",
    "forms.ready": "Ready for work without network.",
    "forms.notready": "Preparing for work without network… keep the page open.",
    "forms.insecure": "This address does not begin with https: the page cannot work without network here.",

    "records.none": "There is no record on this device.",
    "records.none.do": "Open “Forms” and start one.",
    "records.send": "Send now",
    "records.sending": "Sending {0} of {1}…",
    "records.waiting": (n) => plural("en", n, { one: "{0} record waits to be sent.", other: "{0} records wait to be sent." }),
    "records.allsent": "Everything finished has been sent.",
    "records.saved": "Saved. It is sent by itself when there is network.",
    "records.another": "New record with the same form",
    "record.untitled": "Record without a name",
    "record.photos": (n) => plural("en", n, { one: "{0} file", other: "{0} files" }),
    "record.changed": "Changed {0}",
    "record.sentat": "Sent {0}",
    "record.retry": "Try again",
    "record.next": "Next try at {0}.",
    "record.delete": "Delete",
    "record.open": "Continue",
    "record.edit": "Open again",
    "record.progress": "{0} % sent",
    "record.remarks": "Remarks of the office’s checks",
    "record.missing": "Still missing at the office: {0}",
    "record.gone": "The form of this record is not on this device. Get the forms.",

    "state.draft": "Draft",
    "state.queued": "Waiting",
    "state.sending": "Sending",
    "state.sent": "Sent",
    "state.received": "Received",
    "state.remarks": "Received, with remarks",
    "state.refused": "Not accepted",

    "delete.title": "Delete this record?",
    "delete.unsent": "It was not sent. Its answers and photos are lost for good.",
    "delete.sent": "The office has it. It only disappears from this list.",
    "delete.do": "Delete",
    cancel: "Cancel",

    "fill.back": "Save and close",
    "fill.saved": "Saved on this device {0}",
    "fill.saving": "Saving…",
    "fill.unsaved": "Nothing filled yet",
    "fill.elsewhere": "This draft is open in another tab. Close it there first.",
    "fill.failed": "The form cannot be shown: {0}",
    "fill.nosave": "The device cannot save: {0}. Free some space; do not close this page.",

    "storage.used": "{0} used on this device, {1} free.",
    "storage.low": "Space is short: {0} left. Send your records, then delete old photos on this device.",
    "storage.kept": "The browser keeps the records until you delete them.",
    "storage.notkept": "The browser may clear records when space is short. Install this page, or send soon.",
    "install.do": "Install on this device",
    "update.ready": "A new version of this page is ready.",
    "update.do": "Use it now",
    "engine.by": "Forms by ODK Web Forms (Apache License 2.0).",

    "error.network": "No connection to the server.",
    "error.busy": "The server is busy. It is tried again by itself.",
    "error.409": "The office has other answers under the same number. Both are kept; tell your supervisor.",
    "error.404": "The office no longer knows this form or this version of it. Get the forms, and tell your supervisor.",
    "error.413": "This record is larger than the server takes. Tell your supervisor.",
    "error.status": "The server did not accept this record ({0}). Tell your supervisor.",
  },
  fr: {
    title: "Saisie",
    skip: "Aller au contenu",
    forms: "Formulaires",
    records: "Fiches",
    language: "Langue",
    online: "En ligne",
    offline: "Hors ligne",
    loading: "Chargement…",

    "try.title": "Essai d’un brouillon",
    "try.about": "Brouillon, version {0}. Ce que vous terminez ici est envoyé comme fiche d’essai : elle est montrée sur la page du formulaire, ne compte nulle part, et s’efface quand le brouillon est publié ou abandonné.",
    "try.sent": "La fiche d’essai est arrivée. Vous pouvez en remplir une autre.",
    "try.failed": "La fiche d’essai n’a pas été acceptée : {0}",
    "try.none": "Cette adresse ne contient aucun code. Rouvrez-la depuis la page du formulaire.",
    "try.gone": "Ce code a expiré ou a été remplacé, ou le brouillon a été publié ou abandonné. Ouvrez la page du formulaire pour en obtenir un nouveau.",

    "enrol.title": "Cet appareil n’est pas encore inscrit",
    "enrol.what": "Ouvrez le lien que le bureau vous a donné, ou scannez son code avec l’appareil photo. Ou collez le lien ici\u202f:",
    "enrol.label": "Lien ou code",
    "enrol.do": "Inscrire cet appareil",
    "enrol.bad": "Ce n’est pas un lien de ce serveur. Il se termine par un code de 64 caractères.",
    "enrol.unknown": "Le serveur ne connaît pas ce code, ou il a été retiré. Demandez-en un nouveau au bureau.",
    "enrol.offline": "Le code est conservé. Il sera vérifié, et les formulaires récupérés, dès qu’il y aura du réseau.",
    "enrol.other.title": "Utiliser un autre code\u202f?",
    "enrol.other": "Cette page est déjà inscrite. Les envois en attente restent ici et partiront avec le nouveau code.",
    "enrol.other.do": "Utiliser le nouveau code",
    "device.refused": "Le serveur n’accepte plus cet appareil. Vos données sont en sûreté ici. Demandez un nouveau lien au bureau et ouvrez-le\u202f: elles partiront alors.",

    "forms.none": "Il n’y a pas encore de formulaire sur cet appareil.",
    "forms.none.online": "Le bureau n’a publié aucun formulaire. Revenez plus tard.",
    "forms.none.offline": "Connectez-vous une fois au réseau\u202f: les formulaires sont gardés pour le travail hors ligne.",
    "forms.start": "Nouvelle fiche",
    "forms.version": "Version {0}",
    "forms.refresh": "Récupérer les formulaires",
    "forms.refreshed": "Formulaires à jour avec le serveur à {0}.",
    "forms.never": "Les formulaires n’ont jamais été récupérés.",
    "forms.failed": "Impossible de récupérer les formulaires\u202f: {0}",
    "forms.drafts": "Brouillons",
    "forms.ready": "Prêt pour le travail hors ligne.",
    "forms.notready": "Préparation du travail hors ligne… gardez la page ouverte.",
    "forms.insecure": "Cette adresse ne commence pas par https\u202f: la page ne peut pas fonctionner hors ligne ici.",

    "records.none": "Il n’y a aucune fiche sur cet appareil.",
    "records.none.do": "Ouvrez «\u202fFormulaires\u202f» et commencez-en une.",
    "records.send": "Envoyer maintenant",
    "records.sending": "Envoi {0} sur {1}…",
    "records.waiting": (n) => plural("fr", n, { one: "{0} fiche attend d’être envoyée.", other: "{0} fiches attendent d’être envoyées." }),
    "records.allsent": "Tout ce qui est terminé a été envoyé.",
    "records.saved": "Enregistré. L’envoi se fait tout seul dès qu’il y a du réseau.",
    "records.another": "Nouvelle fiche du même formulaire",
    "record.untitled": "Fiche sans nom",
    "record.photos": (n) => plural("fr", n, { one: "{0} fichier", other: "{0} fichiers" }),
    "record.changed": "Modifiée {0}",
    "record.sentat": "Envoyée {0}",
    "record.retry": "Réessayer",
    "record.next": "Prochain essai à {0}.",
    "record.delete": "Supprimer",
    "record.open": "Continuer",
    "record.edit": "Rouvrir",
    "record.progress": "{0}\u202f% envoyés",
    "record.remarks": "Remarques des contrôles du bureau",
    "record.missing": "Manque encore au bureau\u202f: {0}",
    "record.gone": "Le formulaire de cette fiche n’est pas sur cet appareil. Récupérez les formulaires.",

    "state.draft": "Brouillon",
    "state.queued": "En attente",
    "state.sending": "Envoi en cours",
    "state.sent": "Envoyée",
    "state.received": "Reçue",
    "state.remarks": "Reçue, avec remarques",
    "state.refused": "Non acceptée",

    "delete.title": "Supprimer cette fiche\u202f?",
    "delete.unsent": "Elle n’a pas été envoyée. Ses réponses et ses photos seront perdues définitivement.",
    "delete.sent": "Le bureau l’a reçue. Elle disparaît seulement de cette liste.",
    "delete.do": "Supprimer",
    cancel: "Annuler",

    "fill.back": "Enregistrer et fermer",
    "fill.saved": "Enregistré sur cet appareil {0}",
    "fill.saving": "Enregistrement…",
    "fill.unsaved": "Rien n’est encore rempli",
    "fill.elsewhere": "Ce brouillon est ouvert dans un autre onglet. Fermez-le d’abord là-bas.",
    "fill.failed": "Impossible d’afficher le formulaire\u202f: {0}",
    "fill.nosave": "L’appareil ne peut pas enregistrer\u202f: {0}. Libérez de la place\u202f; ne fermez pas cette page.",

    "storage.used": "{0} utilisés sur cet appareil, {1} libres.",
    "storage.low": "La place manque\u202f: il reste {0}. Envoyez vos fiches, puis supprimez d’anciennes photos de cet appareil.",
    "storage.kept": "Le navigateur garde les fiches jusqu’à ce que vous les supprimiez.",
    "storage.notkept": "Le navigateur peut effacer des fiches si la place manque. Installez cette page, ou envoyez bientôt.",
    "install.do": "Installer sur cet appareil",
    "update.ready": "Une nouvelle version de cette page est prête.",
    "update.do": "L’utiliser maintenant",
    "engine.by": "Formulaires par ODK Web Forms (licence Apache 2.0).",

    "error.network": "Pas de connexion avec le serveur.",
    "error.busy": "Le serveur est occupé. Un nouvel essai se fera tout seul.",
    "error.409": "Le bureau a d’autres réponses sous le même numéro. Les deux sont conservées\u202f; prévenez votre superviseur.",
    "error.404": "Le bureau ne connaît plus ce formulaire ou cette version. Récupérez les formulaires et prévenez votre superviseur.",
    "error.413": "Cette fiche est plus grande que ce que le serveur accepte. Prévenez votre superviseur.",
    "error.status": "Le serveur n’a pas accepté cette fiche ({0}). Prévenez votre superviseur.",
  },
  ar: {
    title: "إدخال البيانات",
    skip: "الانتقال إلى المحتوى",
    forms: "الاستمارات",
    records: "السجلات",
    language: "اللغة",
    online: "متصل",
    offline: "لا توجد شبكة",
    loading: "جارٍ التحميل…",

    "try.title": "تجربة مسودة",
    "try.about": "مسودة، الإصدار {0}. ما تنهيه هنا يُرسل سجلاً تجريبياً: يظهر في صفحة الاستمارة، ولا يُحسب في أي مكان، ويُمحى عند نشر المسودة أو إلغائها.",
    "try.sent": "وصل السجل التجريبي. يمكنك ملء سجل آخر.",
    "try.failed": "لم يُقبل السجل التجريبي: {0}",
    "try.none": "هذا العنوان لا يحتوي على رمز. افتحه من جديد من صفحة الاستمارة.",
    "try.gone": "انتهى هذا الرمز أو استُبدل، أو نُشرت المسودة أو أُلغيت. افتح صفحة الاستمارة للحصول على رمز جديد.",

    "enrol.title": "هذا الجهاز غير مسجّل بعد",
    "enrol.what": "افتح الرابط الذي أعطاك إياه المكتب، أو امسح الرمز بالكاميرا. أو الصق الرابط هنا:",
    "enrol.label": "الرابط أو الرمز",
    "enrol.do": "تسجيل هذا الجهاز",
    "enrol.bad": "هذا ليس رابطاً من هذا الخادم. ينتهي الرابط برمز من 64 حرفاً.",
    "enrol.unknown": "الخادم لا يعرف هذا الرمز، أو تم سحبه. اطلب رمزاً جديداً من المكتب.",
    "enrol.offline": "تم حفظ الرمز. سيتم التحقق منه وجلب الاستمارات عند توفر الشبكة.",
    "enrol.other.title": "هل تريد استعمال رمز آخر؟",
    "enrol.other": "هذه الصفحة مسجّلة من قبل. تبقى السجلات التي لم تُرسل هنا وتُرسل بالرمز الجديد.",
    "enrol.other.do": "استعمال الرمز الجديد",
    "device.refused": "لم يعد الخادم يقبل هذا الجهاز. بياناتك محفوظة هنا. اطلب رابطاً جديداً من المكتب وافتحه، وعندها تُرسل.",

    "forms.none": "لا توجد استمارة على هذا الجهاز بعد.",
    "forms.none.online": "لم ينشر المكتب أي استمارة. عُد لاحقاً.",
    "forms.none.offline": "اتصل بالشبكة مرة واحدة: تُحفظ الاستمارات للعمل بدون شبكة.",
    "forms.start": "سجل جديد",
    "forms.version": "الإصدار {0}",
    "forms.refresh": "جلب الاستمارات",
    "forms.refreshed": "الاستمارات مطابقة للخادم في {0}.",
    "forms.never": "لم تُجلب الاستمارات قط.",
    "forms.failed": "تعذّر جلب الاستمارات: {0}",
    "forms.drafts": "المسودات",
    "forms.ready": "جاهز للعمل بدون شبكة.",
    "forms.notready": "جارٍ التحضير للعمل بدون شبكة… أبقِ الصفحة مفتوحة.",
    "forms.insecure": "هذا العنوان لا يبدأ بـ https: لا يمكن للصفحة العمل هنا بدون شبكة.",

    "records.none": "لا يوجد أي سجل على هذا الجهاز.",
    "records.none.do": "افتح «الاستمارات» وابدأ سجلاً.",
    "records.send": "إرسال الآن",
    "records.sending": "إرسال {0} من {1}…",
    "records.waiting": (n) => plural("ar", n, { one: "سجل واحد ينتظر الإرسال.", two: "سجلان ينتظران الإرسال.", few: "{0} سجلات تنتظر الإرسال.", many: "{0} سجلاً ينتظر الإرسال.", other: "{0} سجل ينتظر الإرسال." }),
    "records.allsent": "تم إرسال كل ما اكتمل.",
    "records.saved": "تم الحفظ. يُرسل تلقائياً عند توفر الشبكة.",
    "records.another": "سجل جديد بالاستمارة نفسها",
    "record.untitled": "سجل بلا اسم",
    "record.photos": (n) => plural("ar", n, { one: "ملف واحد", two: "ملفان", few: "{0} ملفات", many: "{0} ملفاً", other: "{0} ملف" }),
    "record.changed": "عُدّل {0}",
    "record.sentat": "أُرسل {0}",
    "record.retry": "إعادة المحاولة",
    "record.next": "المحاولة التالية في {0}.",
    "record.delete": "حذف",
    "record.open": "متابعة",
    "record.edit": "فتح من جديد",
    "record.progress": "أُرسل {0}٪",
    "record.remarks": "ملاحظات تدقيق المكتب",
    "record.missing": "ما زال ناقصاً لدى المكتب: {0}",
    "record.gone": "استمارة هذا السجل غير موجودة على هذا الجهاز. اجلب الاستمارات.",

    "state.draft": "مسودة",
    "state.queued": "في الانتظار",
    "state.sending": "جارٍ الإرسال",
    "state.sent": "أُرسل",
    "state.received": "استُلم",
    "state.remarks": "استُلم مع ملاحظات",
    "state.refused": "لم يُقبل",

    "delete.title": "هل تريد حذف هذا السجل؟",
    "delete.unsent": "لم يُرسل بعد. ستضيع إجاباته وصوره نهائياً.",
    "delete.sent": "وصل إلى المكتب. سيختفي من هذه القائمة فقط.",
    "delete.do": "حذف",
    cancel: "إلغاء",

    "fill.back": "حفظ وإغلاق",
    "fill.saved": "حُفظ على هذا الجهاز {0}",
    "fill.saving": "جارٍ الحفظ…",
    "fill.unsaved": "لم يُملأ شيء بعد",
    "fill.elsewhere": "هذه المسودة مفتوحة في نافذة أخرى. أغلقها هناك أولاً.",
    "fill.failed": "تعذّر عرض الاستمارة: {0}",
    "fill.nosave": "لا يستطيع الجهاز الحفظ: {0}. وفّر مساحة ولا تغلق هذه الصفحة.",

    "storage.used": "المستعمل على هذا الجهاز {0}، والمتاح {1}.",
    "storage.low": "المساحة قليلة: بقي {0}. أرسل سجلاتك ثم احذف صوراً قديمة من هذا الجهاز.",
    "storage.kept": "يحتفظ المتصفح بالسجلات إلى أن تحذفها.",
    "storage.notkept": "قد يمسح المتصفح السجلات عند نقص المساحة. ثبّت هذه الصفحة أو أرسل قريباً.",
    "install.do": "تثبيت على هذا الجهاز",
    "update.ready": "يوجد إصدار جديد من هذه الصفحة.",
    "update.do": "استعماله الآن",
    "engine.by": "الاستمارات بواسطة ODK Web Forms (رخصة Apache 2.0).",

    "error.network": "لا اتصال بالخادم.",
    "error.busy": "الخادم مشغول. تُعاد المحاولة تلقائياً.",
    "error.409": "لدى المكتب إجابات أخرى بالرقم نفسه. تم حفظ النسختين؛ أبلغ المشرف.",
    "error.404": "لم يعد المكتب يعرف هذه الاستمارة أو هذا الإصدار. اجلب الاستمارات وأبلغ المشرف.",
    "error.413": "هذا السجل أكبر مما يقبله الخادم. أبلغ المشرف.",
    "error.status": "لم يقبل الخادم هذا السجل ({0}). أبلغ المشرف.",
  },
};

export { texts };

/** The first language of the reader that the page speaks. */
export function preferred(wanted = navigator.languages ?? []) {
  for (const w of wanted) {
    const l = w.slice(0, 2).toLowerCase();
    if (texts[l]) return l;
  }
  return "en";
}

/** Says key in lang; args fill {0}, {1} …; a number picks the form of number. */
export function say(lang, key, ...args) {
  let t = texts[lang]?.[key] ?? texts.en[key] ?? key;
  if (typeof t === "function") t = t(args[0]);
  return t.replace(/\{(\d)\}/g, (_, n) => args[n] ?? "");
}

// Western digits in Arabic too: they are those of the forms' own answers.
const locale = (lang) => ({ en: "en-GB", fr: "fr", ar: "ar-DJ-u-nu-latn" })[lang];

/** Time of day if today, else day and time. */
export function moment(lang, at) {
  const d = new Date(at), today = new Date().toDateString() === d.toDateString();
  return new Intl.DateTimeFormat(locale(lang), today ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(d);
}

/** Bytes in the unit that people read. */
export function size(lang, bytes) {
  const [n, unit] = bytes >= 1e9 ? [bytes / 1e9, "gigabyte"] : bytes >= 1e6 ? [bytes / 1e6, "megabyte"] : [bytes / 1e3, "kilobyte"];
  return new Intl.NumberFormat(locale(lang), { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
}
