package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/analyse/warehouse"
)

// Questions answers questions over rows: single groups, respondents and records. It
// is for those who may see counts of few people.
func (w *Warehouse) Questions() dtm.Asking { return w.questions }

var movementColumns = []string{"source", "observed", "month", "month_only", "point", "point_text", "region", "role", "direction", "flow_type", "route", "subroute", "origin", "previous",
	"next", "final", "breakdown", "nationality", "sex", "age", "age_band", "reason_set", "transport_set"}

// rowViews are the views over rows.
func rowViews() []dtm.View {
	of := func(name string) []string {
		for _, t := range warehouse.Records {
			if t.Name == name {
				return t.Names()[1:]
			}
		}
		return nil
	}
	return []dtm.View{
		{Name: "movement", Says: dtm.Text{dtm.English: "Groups registered: a row for each nationality, sex and age. Totals add the rows with main.", dtm.French: "Groupes enregistrés : une ligne par nationalité, sexe et âge. Les totaux additionnent les lignes main.", dtm.Arabic: "المجموعات المسجّلة: سطر لكل جنسية وجنس وعمر. تُجمع في المجاميع السطور التي فيها main."},
			Columns: append(slices.Clone(movementColumns), "people", "assessed", "main")},
		{Name: "movement_month", Says: dtm.Text{dtm.English: "The same, summed up by month: read this one unless days matter.", dtm.French: "Les mêmes, par mois : à lire sauf si les jours importent.", dtm.Arabic: "الشيء نفسه مجموعًا بالشهر: اقرأ هذا ما لم تكن الأيام مهمة."},
			Columns: append(slices.DeleteFunc(slices.Clone(movementColumns), func(c string) bool { return c == "source" }), "people", "main")},
		{Name: "vulnerability", Says: dtm.Text{dtm.English: "People of a registered group by vulnerability, where it was assessed.", dtm.French: "Personnes d’un groupe par vulnérabilité, là où elle a été évaluée.", dtm.Arabic: "أشخاص المجموعة حسب حالة الضعف حيث جرى تقييمها."},
			Columns: append(slices.Clone(movementColumns), "code", "people", "assessed")},
		{Name: "point_day", Says: dtm.Text{dtm.English: "Days on which a point recorded something, with the people by direction. Totals add the rows with main.", dtm.French: "Jours où un point a enregistré quelque chose, avec les personnes par direction. Les totaux additionnent les lignes main.", dtm.Arabic: "الأيام التي سجّلت فيها النقطة شيئًا، مع الأشخاص حسب الاتجاه. تُجمع في المجاميع السطور التي فيها main."},
			Columns: []string{"observed", "month", "point", "point_text", "region", "direction", "people", "main"}},
		{Name: "presence", Says: dtm.Text{dtm.English: "People at a site on a day, by nationality, sex and age. A stock: days are not added.", dtm.French: "Personnes sur un site un jour donné, par nationalité, sexe et âge. Un stock : les jours ne s’additionnent pas.", dtm.Arabic: "أشخاص في موقع في يوم، حسب الجنسية والجنس والعمر. رصيد: لا تُجمع الأيام."},
			Columns: []string{"source", "observed", "month", "slot", "site", "site_text", "region", "area", "blocked", "nationality", "sex", "age", "age_band", "people"}},
		{Name: "standing", Says: dtm.Text{dtm.English: "Counts of sites that stand: the last of each day.", dtm.French: "Comptages retenus des sites : le dernier de chaque jour.", dtm.Arabic: "إحصاءات المواقع المعتمدة: آخر إحصاء في كل يوم."},
			Columns: []string{"source", "observed", "month", "slot", "site", "site_text", "region", "area", "people", "arrived", "departed", "blocked", "urgent"}},
		{Name: "interview", Says: dtm.Text{dtm.English: "Respondents; asked = 0 refused or had answered before. -1 is not recorded.", dtm.French: "Répondants ; asked = 0 : refus ou déjà répondu. -1 : non enregistré.", dtm.Arabic: "المستجيبون؛ asked = 0 رفض أو سبق أن أجاب. -1 غير مسجل."}, Columns: of("interview")},
		{Name: "need", Says: dtm.Text{dtm.English: "What persons, sites and points lack, with what was asked.", dtm.French: "Ce qui manque aux personnes, sites et points, avec ce qui a été demandé.", dtm.Arabic: "ما ينقص الأشخاص والمواقع والنقاط، وما سُئل عنه."}, Columns: of("need")},
		{Name: "incident", Says: dtm.Text{dtm.English: "Events and emergencies. -1 is not recorded.", dtm.French: "Événements et urgences. -1 : non enregistré.", dtm.Arabic: "الأحداث والطوارئ. -1 غير مسجل."}, Columns: of("incident")},
		{Name: "answer_set", Says: dtm.Text{dtm.English: "Which codes a set of answers (reason_set, need_set ...) holds, by list.", dtm.French: "Codes contenus dans un ensemble de réponses (reason_set, need_set ...), par liste.", dtm.Arabic: "الرموز التي تحويها مجموعة إجابات (reason_set وneed_set ...) حسب القائمة."}, Columns: []string{"list", "answer_set", "code"}},
	}
}

var figureColumns = []string{"release", "month", "indicator", "period", "by", "keys", "value", "numerator", "denominator", "unit", "basis"}

// FigureViews is what everybody may ask: figures as they were published.
func FigureViews() []dtm.View {
	return []dtm.View{{Name: "figure", Says: dtm.Text{dtm.English: "Every figure of every published release, as published. by names its dimensions, keys their codes, joined by +. What is withheld is not there.",
		dtm.French: "Chaque chiffre de chaque version publiée, tel que publié. by nomme ses dimensions, keys leurs codes, joints par +. Ce qui n’est pas publié n’y est pas.",
		dtm.Arabic: "كل رقم من كل إصدار منشور كما نُشر. by أبعاده وkeys رموزها موصولة بـ +. ما حُجب ليس فيه."}, Columns: figureColumns}}
}

// Figures answers questions over published figures alone: rows are the lines of the
// releases' parts of figures, after the release's number and month.
type Figures struct {
	asker
	w *Warehouse
}

// NewFigures fills a database in memory with published figures.
func NewFigures(ctx context.Context, op *dtm.Operation, rows [][]string) (*Figures, error) {
	w, err := Open(ctx, "", op)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.exec(ctx, `CREATE TABLE figure (release TEXT, month TEXT, indicator TEXT, period TEXT, "by" TEXT, keys TEXT, value DOUBLE PRECISION, numerator DOUBLE PRECISION, denominator DOUBLE PRECISION, unit TEXT, basis TEXT)`)
	if err == nil {
		err = w.writer.Raw(func(conn any) error {
			return appendRows(conn.(driver.Conn), "", "figure", func(add func(...driver.Value) error) error {
				for _, r := range rows {
					line := make([]driver.Value, len(figureColumns))
					for i := range line {
						line[i] = r[i]
						if strings.Contains(" value numerator denominator ", " "+figureColumns[i]+" ") {
							line[i] = figureNumber(r[i])
						}
					}
					if err := add(line...); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	if err != nil {
		return nil, errors.Join(wrap("NewFigures", err), w.writer.Close(), w.db.Close())
	}
	return &Figures{newAsker(w.db, FigureViews()), w}, nil
}

// Close frees the memory.
func (f *Figures) Close() error { return f.w.Close() }

// figureNumber is nil for a figure that is missing.
func figureNumber(s string) driver.Value {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return v
}
