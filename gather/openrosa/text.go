package openrosa

import (
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/text/language"

	"dtm"
)

// texts is what phones show to enumerators, by the codes of errors. Arguments
// are those of the error, by number.
var texts = map[string]dtm.Text{
	"submission.received": {
		dtm.English: "Received. Thank you.",
		dtm.French:  "Bien reçu. Merci.",
		dtm.Arabic:  "تم الاستلام. شكراً.",
	},
	"submission.repeated": {
		dtm.English: "This was already received. Nothing is missing.",
		dtm.French:  "Cet envoi avait déjà été reçu. Rien ne manque.",
		dtm.Arabic:  "سبق استلام هذا الإرسال. لا شيء ناقص.",
	},
	"submission.conflict": {
		dtm.English: "A submission with the same number is here with other answers. Both are kept; tell your supervisor. (%[1]s)",
		dtm.French:  "Un envoi portant le même numéro existe déjà avec d’autres réponses. Les deux sont conservés\u202f; prévenez votre superviseur. (%[1]s)",
		dtm.Arabic:  "يوجد إرسال بالرقم نفسه بإجابات أخرى. تم حفظ النسختين؛ أبلغ المشرف. (%[1]s)",
	},
	"submission.superseded": {
		dtm.English: "The submission that you edited has been edited elsewhere already. Yours is kept; tell your supervisor. (%[1]s)",
		dtm.French:  "L’envoi que vous avez modifié l’a déjà été ailleurs. Le vôtre est conservé\u202f; prévenez votre superviseur. (%[1]s)",
		dtm.Arabic:  "الإرسال الذي عدّلته سبق تعديله في مكان آخر. تم حفظ نسختك؛ أبلغ المشرف. (%[1]s)",
	},
	"submission.deprecated_unknown": {
		dtm.English: "This is an edit of a submission that has not arrived here. Send the original first. (%[1]s)",
		dtm.French:  "Il s’agit de la modification d’un envoi qui n’est pas arrivé ici. Envoyez d’abord l’original. (%[1]s)",
		dtm.Arabic:  "هذا تعديل لإرسال لم يصل إلى هنا. أرسل الأصل أولاً. (%[1]s)",
	},
	"submission.malformed": {
		dtm.English: "The answers cannot be read and were not stored. %[1]s %[2]s",
		dtm.French:  "Les réponses sont illisibles et n’ont pas été enregistrées. %[1]s %[2]s",
		dtm.Arabic:  "لا يمكن قراءة الإجابات ولم يتم حفظها. %[1]s %[2]s",
	},
	"submission.no_form": {
		dtm.English: "The submission does not name its form: its outermost element needs an attribute id.",
		dtm.French:  "L’envoi ne nomme pas son formulaire\u202f: son élément racine doit porter un attribut id.",
		dtm.Arabic:  "الإرسال لا يذكر الاستمارة: يجب أن يحمل العنصر الجذر السمة id.",
	},
	"submission.no_id": {
		dtm.English: "The submission has no number: the element meta/instanceID is missing or empty.",
		dtm.French:  "L’envoi n’a pas de numéro\u202f: l’élément meta/instanceID manque ou est vide.",
		dtm.Arabic:  "الإرسال بلا رقم: العنصر meta/instanceID مفقود أو فارغ.",
	},
	"submission.no_xml": {
		dtm.English: "The submission has no part named %[1]s.",
		dtm.French:  "L’envoi ne contient aucune partie nommée %[1]s.",
		dtm.Arabic:  "لا يحتوي الإرسال على جزء باسم %[1]s.",
	},
	"submission.two_xml": {
		dtm.English: "The submission has two parts named %[1]s. There must be one.",
		dtm.French:  "L’envoi contient deux parties nommées %[1]s. Il en faut une seule.",
		dtm.Arabic:  "يحتوي الإرسال على جزأين باسم %[1]s. يجب أن يكون واحداً.",
	},
	"submission.not_multipart": {
		dtm.English: "A submission comes as multipart/form-data with a part named %[1]s.",
		dtm.French:  "Un envoi se fait en multipart/form-data avec une partie nommée %[1]s.",
		dtm.Arabic:  "يُرسل الإرسال بصيغة multipart/form-data مع جزء باسم %[1]s.",
	},
	"submission.part_head": {
		dtm.English: "A part of the submission cannot be read. %[1]s",
		dtm.French:  "Une partie de l’envoi est illisible. %[1]s",
		dtm.Arabic:  "تعذّرت قراءة جزء من الإرسال. %[1]s",
	},
	"submission.parts": {
		dtm.English: "The submission has more than %[1]v parts.",
		dtm.French:  "L’envoi contient plus de %[1]v parties.",
		dtm.Arabic:  "يحتوي الإرسال على أكثر من %[1]v جزءاً.",
	},
	"form.unknown": {
		dtm.English: "There is no form “%[1]s” on this server. Get the forms again.",
		dtm.French:  "Le formulaire «\u202f%[1]s\u202f» n’existe pas sur ce serveur. Récupérez de nouveau les formulaires.",
		dtm.Arabic:  "لا توجد استمارة «%[1]s» على هذا الخادم. نزّل الاستمارات من جديد.",
	},
	"form.version_unknown": {
		dtm.English: "Form “%[1]s” has no version “%[2]s” on this server. Get the forms again.",
		dtm.French:  "Le formulaire «\u202f%[1]s\u202f» n’a pas de version «\u202f%[2]s\u202f» sur ce serveur. Récupérez de nouveau les formulaires.",
		dtm.Arabic:  "لا يوجد إصدار «%[2]s» من الاستمارة «%[1]s» على هذا الخادم. نزّل الاستمارات من جديد.",
	},
	"form.closed": {
		dtm.English: "Form “%[1]s” is closed: nothing more is taken. Keep the submission and tell your supervisor.",
		dtm.French:  "Le formulaire «\u202f%[1]s\u202f» est fermé\u202f: plus rien n’est accepté. Gardez l’envoi et prévenez votre superviseur.",
		dtm.Arabic:  "الاستمارة «%[1]s» مغلقة: لا يُقبل أي إرسال جديد. احتفظ بالإرسال وأبلغ المشرف.",
	},
	"entity.no_list": {
		dtm.English: "There is no list “%[1]s” on this server. Get the forms again.",
		dtm.French:  "La liste «\u202f%[1]s\u202f» n’existe pas sur ce serveur. Récupérez de nouveau les formulaires.",
		dtm.Arabic:  "لا توجد قائمة «%[1]s» على هذا الخادم. نزّل الاستمارات من جديد.",
	},
	"media.unknown": {
		dtm.English: "Form “%[1]s” has no attachment “%[2]s”.",
		dtm.French:  "Le formulaire «\u202f%[1]s\u202f» n’a pas de fichier joint «\u202f%[2]s\u202f».",
		dtm.Arabic:  "الاستمارة «%[1]s» ليس لها مرفق «%[2]s».",
	},
	"device.unknown": {
		dtm.English: "This device is not known here. Scan the code that the office gives you.",
		dtm.French:  "Cet appareil n’est pas connu ici. Scannez le code que le bureau vous donne.",
		dtm.Arabic:  "هذا الجهاز غير معروف هنا. امسح الرمز الذي يعطيك إياه المكتب.",
	},
	"device.revoked": {
		dtm.English: "This device was withdrawn. Ask the office for a new code.",
		dtm.French:  "Cet appareil a été retiré. Demandez un nouveau code au bureau.",
		dtm.Arabic:  "تم سحب هذا الجهاز. اطلب رمزاً جديداً من المكتب.",
	},
	"device.malformed": {
		dtm.English: "The server address set in this app is not complete. Scan the code again.",
		dtm.French:  "L’adresse du serveur réglée dans cette application est incomplète. Scannez de nouveau le code.",
		dtm.Arabic:  "عنوان الخادم في هذا التطبيق غير مكتمل. امسح الرمز من جديد.",
	},
	"project.unknown": {
		dtm.English: "There is no project “%[1]s” on this server. Scan the code again.",
		dtm.French:  "Le projet «\u202f%[1]s\u202f» n’existe pas sur ce serveur. Scannez de nouveau le code.",
		dtm.Arabic:  "لا يوجد مشروع «%[1]s» على هذا الخادم. امسح الرمز من جديد.",
	},
	"openrosa.version": {
		dtm.English: "This server speaks OpenRosa 1.0, not “%[1]s”.",
		dtm.French:  "Ce serveur parle OpenRosa 1.0, et non «\u202f%[1]s\u202f».",
		dtm.Arabic:  "هذا الخادم يستخدم OpenRosa 1.0 وليس «%[1]s».",
	},
	"request.too_large": {
		dtm.English: "What was sent is larger than %[1]v bytes, the most that is taken at once.",
		dtm.French:  "L’envoi dépasse %[1]v octets, la taille maximale acceptée en une fois.",
		dtm.Arabic:  "حجم الإرسال أكبر من %[1]v بايت، وهو الحد الأقصى للمرة الواحدة.",
	},
	"request.cut_off": {
		dtm.English: "The connection broke off. Nothing was lost; send again.",
		dtm.French:  "La connexion a été interrompue. Rien n’est perdu\u202f; renvoyez.",
		dtm.Arabic:  "انقطع الاتصال. لم يُفقد شيء؛ أعد الإرسال.",
	},
	"store.full": {
		dtm.English: "The server’s disk is full. Keep the submission and tell your supervisor.",
		dtm.French:  "Le disque du serveur est plein. Gardez l’envoi et prévenez votre superviseur.",
		dtm.Arabic:  "قرص الخادم ممتلئ. احتفظ بالإرسال وأبلغ المشرف.",
	},
	"unavailable": {
		dtm.English: "The server cannot store anything just now. Keep the submission and send it later.",
		dtm.French:  "Le serveur ne peut rien enregistrer pour le moment. Gardez l’envoi et renvoyez-le plus tard.",
		dtm.Arabic:  "لا يستطيع الخادم الحفظ الآن. احتفظ بالإرسال وأرسله لاحقاً.",
	},
	"internal": {
		dtm.English: "Something went wrong on the server. Keep the submission and send it later.",
		dtm.French:  "Une erreur s’est produite sur le serveur. Gardez l’envoi et renvoyez-le plus tard.",
		dtm.Arabic:  "حدث خطأ في الخادم. احتفظ بالإرسال وأرسله لاحقاً.",
	},
}

// spoken are the languages of texts, the first one for those who want none.
var (
	spoken  = []dtm.Lang{dtm.English, dtm.French, dtm.Arabic}
	matcher = language.NewMatcher([]language.Tag{language.English, language.French, language.Arabic})
)

// lang is the language to answer r in.
func (h *Handler) lang(r *http.Request) dtm.Lang {
	own := h.Lang
	if own == "" {
		own = dtm.English
	}
	wanted := r.Header.Get("Accept-Language")
	if wanted == "" {
		return own
	}
	tags, _, err := language.ParseAcceptLanguage(wanted)
	if err != nil || len(tags) == 0 {
		return own
	}
	_, i, sure := matcher.Match(tags...)
	if sure == language.No {
		return own
	}
	return spoken[i]
}

// say returns the text of a code in a language, "" when there is none.
func say(l dtm.Lang, code string, args ...any) string {
	t := texts[code].In(l)
	if t == "" || len(args) == 0 {
		return t
	}
	return fmt.Sprintf(t, args...)
}

// say is what the phone shows for an error.
func (h *Handler) say(r *http.Request, err error) string {
	l := h.lang(r)
	var e *dtm.Error
	if !errors.As(err, &e) || e.Kind == dtm.Internal {
		return say(l, "internal")
	}
	if s := say(l, e.Code, e.Args...); s != "" {
		return s
	}
	if e.Kind == dtm.Unavailable {
		return say(l, "unavailable")
	}
	return dtm.Public(err)
}
