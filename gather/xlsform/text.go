package xlsform

import (
	"fmt"
	"strings"

	"dtm"
)

// In is the fault in a language: English or French, which are those of people who
// write forms; others read English.
func (f Fault) In(l dtm.Lang) string { return spoken(l, f.format, f.Args, f.Msg) }

// In is the warning in a language.
func (w Warning) In(l dtm.Lang) string { return Fault(w).In(l) }

// hint is a part of a message that is there in some cases only.
type hint struct {
	format string // English; "" for none
	args   []any
}

func (h hint) String() string { return h.in(dtm.English) }

func (h hint) in(l dtm.Lang) string {
	return spoken(l, h.format, h.args, fmt.Sprintf(h.format, h.args...))
}

// hints are several, one after another.
type hints []hint

func (h hints) String() string { return h.in(dtm.English) }

func (h hints) in(l dtm.Lang) string {
	all := make([]string, len(h))
	for i, one := range h {
		all[i] = one.in(l)
	}
	return strings.Join(all, "; ")
}

// either is one of several.
type either []string

func (e either) String() string { return e.in(dtm.English) }

func (e either) in(l dtm.Lang) string {
	return strings.Join(e, map[bool]string{false: " or ", true: " ou "}[l == dtm.French])
}

// spoken fills the message in a language, with its parts in that language too.
func spoken(l dtm.Lang, format string, args []any, english string) string {
	other, ok := french[format]
	if l != dtm.French || !ok {
		return english
	}
	said := make([]any, len(args))
	for i, a := range args {
		said[i] = a
		if part, ok := a.(interface{ in(dtm.Lang) string }); ok {
			said[i] = part.in(l)
		}
	}
	return fmt.Sprintf(other, said...)
}

// french holds every message by its English format. Names of sheets, columns and
// types stay as the standard writes them.
var french = map[string]string{
	"location-min-interval is 0 or more seconds, and location-max-age at least as much":                                      "location-min-interval vaut 0 seconde ou plus, et location-max-age au moins autant",
	"a log of positions needs location-priority, location-min-interval and location-max-age":                                 "un journal de positions demande location-priority, location-min-interval et location-max-age",
	"an audit is always named audit; leave the name empty":                                                                   "un audit s’appelle toujours audit\u202f; laissez le nom vide",
	"the text is longer than a cell of a workbook can hold (%d characters)":                                                  "le texte dépasse ce que contient une cellule de classeur (%d caractères)",
	"the name %q of list %q holds a blank, which a select_multiple cannot tell from two answers":                             "le nom %q de la liste %q contient une espace, qu’un select_multiple ne distingue pas de deux réponses",
	"the column %q is left out: a header must be a name without blanks":                                                      "la colonne %q est laissée de côté\u202f: un en-tête est un nom sans espace",
	"the choice %q of list %q has no label":                                                                                  "le choix %q de la liste %q n’a pas de label",
	"the choice %q is left out: it names no list":                                                                            "le choix %q est laissé de côté\u202f: il ne nomme aucune liste",
	"a choice of list %q has no name":                                                                                        "un choix de la liste %q n’a pas de name",
	"the sheet %s needs a column name":                                                                                       "la feuille %s demande une colonne name",
	"the name %q is in list %q already, at %s; the setting allow_choice_duplicates permits it":                               "le nom %q est déjà dans la liste %q, en %s\u202f; le réglage allow_choice_duplicates le permet",
	"phones compute this default; if it is words, write them without ( ) + - * or |: %s":                                     "les téléphones calculent cette valeur par défaut\u202f; si ce sont des mots, écrivez-les sans ( ) + - * ni |\u202f: %s",
	"the sheet entities has no column %q; it has list_name, label, entity_id, create_if and update_if":                       "la feuille entities n’a pas de colonne %q\u202f; elle a list_name, label, entity_id, create_if et update_if",
	"a group declares one entity, and %s has none free for %q: row %d took it for %q":                                        "un groupe déclare une entité, et %s n’en a plus pour %q\u202f: la ligne %d l’a prise pour %q",
	"the name of an entity list holds no dot: %q":                                                                            "le nom d’une liste d’entités ne contient pas de point\u202f: %q",
	"a group or repeat cannot be saved to an entity; move save_to to a question":                                             "un groupe ou une répétition ne s’enregistre pas dans une entité\u202f; déplacez save_to vers une question",
	"save_to holds one # at most: list#property":                                                                             "save_to contient au plus un #\u202f: liste#propriété",
	"to update entities of %q, say which one in entity_id":                                                                   "pour modifier les entités de %q, dites laquelle dans entity_id",
	"to create entities of %q, give them a label":                                                                            "pour créer des entités de %q, donnez-leur un label",
	"an entity list needs a name":                                                                                            "une liste d’entités demande un nom",
	"with entity_id and create_if, say in update_if when to update":                                                          "avec entity_id et create_if, dites dans update_if quand modifier",
	"save_to needs a sheet entities that declares an entity list":                                                            "save_to demande une feuille entities qui déclare une liste d’entités",
	"the property %q is saved already, at %s":                                                                                "la propriété %q est déjà enregistrée, en %s",
	"the name %q begins with two underscores, which are the server's":                                                        "le nom %q commence par deux tirets bas, réservés au serveur",
	"a property may not be called name or label":                                                                             "une propriété ne peut s’appeler name ni label",
	"the entity list %q is declared already, at %s":                                                                          "la liste d’entités %q est déjà déclarée, en %s",
	"the sheet entities declares no list %q":                                                                                 "la feuille entities ne déclare aucune liste %q",
	"the form declares several entity lists; write save_to as list#property":                                                 "le formulaire déclare plusieurs listes d’entités\u202f; écrivez save_to sous la forme liste#propriété",
	"the entity %q cannot take answers from %s and from %s: they are not of one turn of one repeat; copy one by a calculate": "l’entité %q ne peut prendre ses réponses de %s et de %s\u202f: elles ne sont pas du même tour d’une répétition\u202f; copiez-en une par un calculate",
	"phones know no function %s()%s":                                                                                         "les téléphones ne connaissent pas de fonction %s()%s",
	"%s in %s":                                                                                                               "%s dans %s",
	"reference-geometry names a choice list, an entity list, a file of the form, or a repeat as ${name}; %q is none":         "reference-geometry nomme une liste de choix, une liste d’entités, un fichier du formulaire ou une répétition comme ${name}\u202f; %q n’en est pas",
	"the columns %q and %q mean the same; remove one":                                                                        "les colonnes %q et %q disent la même chose\u202f; supprimez-en une",
	"the column %s::%s cannot become an attribute: %s":                                                                       "la colonne %s::%s ne peut devenir un attribut\u202f: %s",
	"the cell stands in a column without a header":                                                                           "la cellule est dans une colonne sans en-tête",
	"the column %q is there twice, also at %s; remove one":                                                                   "la colonne %q est là deux fois, aussi en %s\u202f; supprimez-en une",
	"the picture %q is sent in full size; the parameter max-pixels=1024 makes it small enough for a bad link":                "la photo %q est envoyée en taille réelle\u202f; le paramètre max-pixels=1024 la réduit pour une mauvaise liaison",
	"the name %q stands for %s and for %s; rename one of the files":                                                          "le nom %q désigne %s et %s\u202f; renommez l’un des fichiers",
	"the name %q stands for a choice list and for %s; rename one of them":                                                    "le nom %q désigne une liste de choix et %s\u202f; renommez l’un des deux",
	"the file %q is declared already, at %s":                                                                                 "le fichier %q est déjà déclaré, en %s",
	"the languages %s have no code that machines know; write them like %q":                                                   "les langues %s n’ont pas de code connu des machines\u202f; écrivez-les comme %q",
	"columns are not there in every language: %s":                                                                            "des colonnes manquent dans certaines langues\u202f: %s",
	"%d texts are not translated into %q, the first near %s; phones show a dash":                                             "%d textes ne sont pas traduits en %q, le premier près de %s\u202f; les téléphones montrent un tiret",
	"the form has %d languages; at most %d are taken":                                                                        "le formulaire a %d langues\u202f; au plus %d sont admises",
	"the loop would make more than %d questions":                                                                             "la boucle ferait plus de %d questions",
	"there is no choice list %q":                                                                                             "il n’y a pas de liste de choix %q",
	"a loop names the choice list it goes over: begin_loop over LIST":                                                        "une boucle nomme la liste de choix qu’elle parcourt\u202f: begin_loop over LIST",
	"big-image needs an image beside it":                                                                                     "big-image demande une image à côté",
	"media are image, big-image, audio or video, not %q":                                                                     "les médias sont image, big-image, audio ou video, non %q",
	"the name %q differs from another one of its group by case only, which many programs do not tell apart":                  "le nom %q ne diffère d’un autre de son groupe que par la casse, que bien des programmes ne distinguent pas",
	"the name meta is the form's own; choose another":                                                                        "le nom meta appartient au formulaire\u202f; choisissez-en un autre",
	"the row has no name":                                                                                                "la ligne n’a pas de name",
	"the name %q has a prefix; %s":                                                                                       "le nom %q a un préfixe\u202f; %s",
	"the name %q is there already in the same group, %s":                                                                 "le nom %q est déjà dans le même groupe, %s",
	"there is no list %q in the sheet osm":                                                                               "il n’y a pas de liste %q dans la feuille osm",
	"app: %q is not the name of an Android package: %s":                                                                  "app\u202f: %q n’est pas le nom d’un paquet Android\u202f: %s",
	"incremental is true or is left out":                                                                                 "incremental vaut true ou s’omet",
	"%s must be a %snumber, not %q":                                                                                      "%s doit être un nombre%s, non %q",
	"seed is a number or a reference such as ${name}, not %q":                                                            "seed est un nombre ou une référence comme ${name}, non %q",
	"seed needs randomize=true beside it":                                                                                "seed demande randomize=true à côté",
	"write parameters as name=value, with blanks between":                                                                "écrivez les paramètres sous la forme nom=valeur, séparés par des espaces",
	"%s takes the parameters %s, not %q":                                                                                 "%s admet les paramètres %s, non %q",
	"%s is %s, not %q":                                                                                                   "%s vaut %s, non %q",
	"%s goes with the appearances vertical and no-ticks, or none":                                                        "%s va avec les apparences vertical et no-ticks, ou sans apparence",
	"without ticks only the two ends have labels: %q must hold the choices %s and %s":                                    "sans graduations, seules les deux extrémités ont un label\u202f: %q doit contenir les choix %s et %s",
	"the names of the choices of %q must be numbers, not %q":                                                             "les noms des choix de %q doivent être des nombres, non %q",
	"the choice %s of %q lies outside the range":                                                                         "le choix %s de %q est hors de l’intervalle",
	"the choice %s of %q is not start plus a multiple of %s":                                                             "le choix %s de %q n’est pas start plus un multiple de %s",
	"tick_labelset: there is no choice list %q%s":                                                                        "tick_labelset\u202f: il n’y a pas de liste de choix %q%s",
	"%s must be a number, not %q":                                                                                        "%s doit être un nombre, non %q",
	"placeholder lies outside the range":                                                                                 "placeholder est hors de l’intervalle",
	"placeholder must be start plus a multiple of step":                                                                  "placeholder doit être start plus un multiple de step",
	"tick_interval must be a multiple of step":                                                                           "tick_interval doit être un multiple de step",
	"%s is larger than the range from %s to %s":                                                                          "%s dépasse l’intervalle de %s à %s",
	"%s must not be 0":                                                                                                   "%s ne peut être 0",
	"${%s} is a file, which has no answer; read it with instance('%s')":                                                  "${%s} est un fichier, qui n’a pas de réponse\u202f; lisez-le par instance('%s')",
	"${%s} may mean the question or the form itself, which has this name too; rename the question":                       "${%s} peut désigner la question ou le formulaire lui-même, qui porte aussi ce nom\u202f; renommez la question",
	"%q: write a reference as ${name}":                                                                                   "%q\u202f: écrivez une référence sous la forme ${name}",
	"write a reference as ${name}, without blanks inside, and end it with }":                                             "écrivez une référence sous la forme ${name}, sans espace à l’intérieur, et terminez-la par }",
	"${%s} may mean %d rows; names that are referred to must be unique":                                                  "${%s} peut désigner %d lignes\u202f; un nom auquel on se réfère doit être unique",
	"the trigger ${%s} may mean %d questions; names that are referred to must be unique":                                 "le déclencheur ${%s} peut désigner %d questions\u202f; un nom auquel on se réfère doit être unique",
	"${%s} refers to nothing: no question, group or repeat has this name%s":                                              "${%s} ne se réfère à rien\u202f: aucune question, aucun groupe ni répétition ne porte ce nom%s",
	"the trigger ${%s} is no question of the survey":                                                                     "le déclencheur ${%s} n’est pas une question du formulaire",
	"the repeat %q has no label":                                                                                         "la répétition %q n’a pas de label",
	"the repeat may not have the form's own name, %q":                                                                    "la répétition ne peut porter le nom du formulaire, %q",
	"a repeat in a loop would be there once for each choice; names of repeats are unique in the form":                    "une répétition dans une boucle serait là une fois par choix\u202f; le nom d’une répétition est unique dans le formulaire",
	"another repeat is named %q, at %s; names of repeats are unique in the form":                                         "une autre répétition s’appelle %q, en %s\u202f; le nom d’une répétition est unique dans le formulaire",
	"the answer of a select is a string, not %q":                                                                         "la réponse d’un select est de type string, non %q",
	"only select_one takes its choices from earlier answers":                                                             "seul select_one prend ses choix dans des réponses précédentes",
	"select_one_external is meant for lists with a choice_filter":                                                        "select_one_external est fait pour les listes avec choice_filter",
	"%q: the name of a file of choices ends in .csv, .geojson or .xml and has no other dot":                              "%q\u202f: le nom d’un fichier de choix finit par .csv, .geojson ou .xml et n’a pas d’autre point",
	"there is no choice list %q in the sheet choices%s":                                                                  "il n’y a pas de liste de choix %q dans la feuille choices%s",
	"there is no list %q in the sheet external_choices":                                                                  "il n’y a pas de liste %q dans la feuille external_choices",
	"the form needs a sheet choices with the columns list_name, name and label%s":                                        "le formulaire demande une feuille choices avec les colonnes list_name, name et label%s",
	"the form needs a sheet external_choices with the columns list_name and name%s":                                      "le formulaire demande une feuille external_choices avec les colonnes list_name et name%s",
	"or_other needs a list in the sheet choices":                                                                         "or_other demande une liste dans la feuille choices",
	"a select with or_other takes no choice_filter":                                                                      "un select avec or_other n’admet pas de choice_filter",
	"or_other makes a choice and a question in English only; in a form with languages write both yourself":               "or_other ajoute un choix et une question en anglais seulement\u202f; dans un formulaire à plusieurs langues, écrivez les deux vous-même",
	"%q takes the choices of %q by search(), %q does not; give one of them another list":                                 "%q prend les choix de %q par search(), %q non\u202f; donnez à l’un des deux une autre liste",
	"a select from a file takes no search() in its appearance":                                                           "un select depuis un fichier n’admet pas search() dans son apparence",
	"an encrypted form needs its instanceID; leave omit_instanceID empty":                                                "un formulaire chiffré demande son instanceID\u202f; laissez omit_instanceID vide",
	"there is no sheet %s%s Begin the name of a sheet that is not meant with _":                                          "il n’y a pas de feuille %s%s Commencez par _ le nom d’une feuille qui ne compte pas",
	"there are two sheets named %q; keep one":                                                                            "deux feuilles s’appellent %q\u202f; gardez-en une",
	"a background-geopoint takes no calculation":                                                                         "un background-geopoint n’admet pas de calculation",
	"the row has no type, name or label and is left out":                                                                 "la ligne n’a ni type, ni name, ni label, et est laissée de côté",
	"groups lie at most %d deep in one another, repeats %d":                                                              "les groupes s’emboîtent sur %d niveaux au plus, les répétitions sur %d",
	"%s is not known to today's phones":                                                                                  "%s est inconnu des téléphones d’aujourd’hui",
	"the column disabled is not part of the standard; use relevant":                                                      "la colonne disabled ne fait pas partie du standard\u202f; utilisez relevant",
	"the survey has no question":                                                                                         "le formulaire n’a pas de question",
	"the group %q shows no question, and phones do not open such a form; put its rows elsewhere or give it a note":       "le groupe %q ne montre aucune question, et les téléphones n’ouvrent pas un tel formulaire\u202f; déplacez ses lignes ou donnez-lui une note",
	"%q ends nothing: no %s is open here":                                                                                "%q ne termine rien\u202f: aucun %s n’est ouvert ici",
	"%q stands where the %s %q of %s must end first":                                                                     "%q se trouve là où le %s %q de %s doit d’abord se terminer",
	"the form needs a sheet named survey with a row of headers%s":                                                        "le formulaire demande une feuille nommée survey avec une ligne d’en-têtes%s",
	"the calculate %q has no calculation":                                                                                "le calculate %q n’a pas de calculation",
	"the question %q has no label%s":                                                                                     "la question %q n’a pas de label%s",
	"a background-geopoint needs a trigger":                                                                              "un background-geopoint demande un trigger",
	"the row has no type":                                                                                                "la ligne n’a pas de type",
	"the survey needs a column type":                                                                                     "la feuille survey demande une colonne type",
	"the %s %q is never ended; add a row end_%s":                                                                         "le %s %q n’est jamais terminé\u202f; ajoutez une ligne end_%s",
	"%q is not a question type%s":                                                                                        "%q n’est pas un type de question%s",
	"a table-list takes no choice_filter":                                                                                "une table-list n’admet pas de choice_filter",
	"all selects of a table-list have one list: %q is not %q":                                                            "tous les select d’une table-list ont la même liste\u202f: %q n’est pas %q",
	"put a comma between the references of a trigger":                                                                    "mettez une virgule entre les références d’un trigger",
	"the question %q is not shown, so nobody can change it: it cannot be a trigger":                                      "la question %q n’est pas montrée, personne ne peut donc la changer\u202f: elle ne peut être un trigger",
	"a trigger is a reference such as ${name}, or several with commas between":                                           "un trigger est une référence comme ${name}, ou plusieurs séparées par des virgules",
	"%q cannot be a name: begin with a letter or _, go on with letters, digits, - _ or .":                                "%q ne peut être un nom\u202f: commencez par une lettre ou _, continuez par des lettres, des chiffres, - _ ou .",
	"%s names a column of the file; %q cannot be a name: begin with a letter or _, go on with letters, digits, - _ or .": "%s nomme une colonne du fichier\u202f; %q ne peut être un nom\u202f: commencez par une lettre ou _, continuez par des lettres, des chiffres, - _ ou .",
	"; is it %s?":    "\u202f; est-ce %s\u202f?",
	"; is it %q?":    "\u202f; est-ce %q\u202f?",
	"; is it ${%s}?": "\u202f; est-ce ${%s}\u202f?",
	"; is it %s()?":  "\u202f; est-ce %s()\u202f?",
	"; a guidance hint may be out of sight and does not do": "\u202f; une consigne (guidance_hint) peut être hors de vue et ne suffit pas",
	"whole ":                          " entier",
	"it holds no dot":                 "il ne contient pas de point",
	"a part between dots is empty":    "une partie entre deux points est vide",
	"a part begins with a digit or _": "une partie commence par un chiffre ou _",
	"it holds a sign that is no letter, digit, dot or _": "il contient un signe qui n’est ni lettre, ni chiffre, ni point, ni _",
	"it is no name": "ce n’est pas un nom",
	"declare the prefix %s in the settings, column namespaces, as %s=\"address\"": "déclarez le préfixe %s dans settings, colonne namespaces, sous la forme %s=\"adresse\"",
	"the quotation mark %c is not closed":                                         "le guillemet %c n’est pas fermé",
	"the expression is longer than %d characters":                                 "l’expression dépasse %d caractères",
	"the reference ${ is not closed":                                              "la référence ${ n’est pas fermée",
	"$ has no meaning here but in ${name}":                                        "$ n’a de sens que dans ${name}",
	"the sign %q has no meaning here":                                             "le signe %q n’a pas de sens ici",
	"the expression ends where %s should stand":                                   "l’expression finit là où il faudrait %s",
	"%q stands where %s should stand":                                             "%q est là où il faudrait %s",
	"the expression is nested more than %d deep":                                  "l’expression est imbriquée sur plus de %d niveaux",
	"there is no axis %q":                                                         "il n’y a pas d’axe %q",
	"%s is no number":                                                             "%s n’est pas un nombre",
	"%s() takes at least %d arguments, not %d":                                    "%s() demande au moins %d arguments, non %d",
	"%s() takes no argument, not %d":                                              "%s() ne demande aucun argument, non %d",
	"%s() takes 1 argument, not %d":                                               "%s() demande 1 argument, non %d",
	"%s() takes %d arguments, not %d":                                             "%s() demande %d arguments, non %d",
	"%s() takes %d to %d arguments, not %d":                                       "%s() demande de %d à %d arguments, non %d",
	"phones do not have %s in paths, only /, .. and names: %s":                    "les téléphones n’ont pas %s dans les chemins, seulement /, .. et des noms\u202f: %s",
	"Collect opens no form with the name %q: of letters it takes those that have capitals (Latin, Greek, Cyrillic); labels may be of any": "Collect n’ouvre aucun formulaire avec le nom %q\u202f: il n’admet que les lettres qui ont des capitales (latines, grecques, cyrilliques)\u202f; les labels sont libres",
	"${%s} has a value in each turn of a repeat that this question is not in: with several turns Collect cannot tell which is meant":      "${%s} a une valeur à chaque tour d’une répétition où cette question n’est pas\u202f: avec plusieurs tours, Collect ne sait laquelle prendre",
	"the column %s:%s:%s is left out; declare the prefix %s in the settings, column namespaces, or write %s::%s":                          "la colonne %s:%s:%s est laissée de côté\u202f; déclarez le préfixe %s dans settings, colonne namespaces, ou écrivez %s::%s",
	"the form has an audit already, at %s":                                  "le formulaire a déjà un audit, en %s",
	"%s depends on itself: %s":                                              "%s dépend de soi-même\u202f: %s",
	"%q takes its choices from the turns of a repeat, and ${%s} is in none": "%q prend ses choix dans les tours d’une répétition, et ${%s} n’est dans aucune",
	"an operator or the end":                                                "un opérateur ou la fin",
	"the name of a node":                                                    "le nom d’un nœud",
	"a name, a value or (":                                                  "un nom, une valeur ou (",
	"the column %q is missing":                                              "la colonne %q manque",
	"no translation is filled in; the columns to fill in are called %q and so on":                             "aucune traduction n’est remplie ; les colonnes à remplir s’appellent %q, etc.",
	"the form has no text with the key %q; remove the row, or make a new sheet of this form":                  "le formulaire n’a pas de texte de clé %q ; supprimez la ligne, ou faites une nouvelle feuille de ce formulaire",
	"the key %q is in row %d already; remove one":                                                             "la clé %q est déjà à la ligne %d ; supprimez-en une",
	"the form now says %q; make a new sheet, and translate what the form says":                                "le formulaire dit maintenant %q ; faites une nouvelle feuille et traduisez ce que dit le formulaire",
	"the translation is missing":                                                                              "la traduction manque",
	"the translation leaves out %s; phones put an answer there, so it must stand in the translation as it is": "la traduction omet %s ; les téléphones y mettent une réponse, il doit donc figurer tel quel dans la traduction",
	"the translation holds %s, which the text does not":                                                       "la traduction contient %s, que le texte n’a pas",
	"the row with the key %q is missing (%q)":                                                                 "la ligne de clé %q manque (%q)",
	"%s lacks %s in %q": "%s n’a pas %s en %q",
}
