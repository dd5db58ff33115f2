package xform_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/gather/xform"
)

func factsOf(t *testing.T, form, xml string) (dtm.Facts, []dtm.Flag) {
	t.Helper()
	op, f := packed(t, form)
	in, err := xform.Read(f, []byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	return xform.Facts(op, f, in)
}

var dayOfFacts = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)

// TestPresenceFacts: people of two nationalities, those of whom sex and age are not
// known apart, 0 apart from what was not answered.
func TestPresenceFacts(t *testing.T) {
	t.Parallel()
	got, flags := factsOf(t, "presence", `<presence id="presence"><start>2026-03-04T07:00:00.000+03:00</start><end>2026-03-04T07:10:00.000+03:00</end>
		<where><observed>2026-03-04</observed><slot>morning</slot><region>DJ01</region><area>DJ0115</area><site> Obock,  rivage nord </site><mode>observation</mode></where>
		<block><nationality>ETH</nationality><men>20</men><women>3</women><boys>0</boys><girls>1</girls><not_known>4</not_known></block>
		<block><nationality>SOM</nationality><men>0</men><women>2</women><boys>0</boys><girls>0</girls><not_known>0</not_known></block>
		<change><arrived>0</arrived><left/><blocked>sea</blocked><need>water food</need><urgent>no</urgent></change><meta><instanceID>uuid:1</instanceID></meta></presence>`)
	site := dtm.Where{Site: "Obock, rivage nord", Region: "DJ01", Area: "DJ0115"}
	want := dtm.Facts{
		Presence: &dtm.Presence{Where: site, Observed: dayOfFacts, Counted: time.Date(2026, 3, 4, 4, 10, 0, 0, time.UTC), Slot: "morning", Arrived: 0, Left: dtm.NotRecorded, Blocked: "sea", Urgent: "no",
			People: []dtm.Present{{Nationality: "ETH", Sex: "male", Age: "adults", People: 20}, {Nationality: "ETH", Sex: "female", Age: "adults", People: 3}, {Nationality: "ETH", Sex: "female", Age: "children", People: 1}, {Nationality: "ETH", Sex: "unknown", Age: "unknown", People: 4}, {Nationality: "SOM", Sex: "female", Age: "adults", People: 2}}},
		Need: &dtm.Need{Where: site, Observed: dayOfFacts, Subject: dtm.SubjectSite, People: 30, Years: dtm.NotRecorded,
			Asked: []string{"food", "health", "information", "items", "other", "protection", "return", "shelter", "transport", "water"}, Lacks: []string{"food", "water"}},
	}
	if d := cmp.Diff(want, got); d != "" || len(flags) > 0 {
		t.Errorf("flags %v\n%s", flags, d)
	}
	none, _ := factsOf(t, "presence", `<presence id="presence"><where><observed>2026-03-04</observed><area>DJ0115</area><site>X</site></where>
		<block><nationality>ETH</nationality><men>0</men><women>0</women><boys>0</boys><girls>0</girls><not_known>0</not_known></block><change><need>none</need></change><meta><instanceID>uuid:2</instanceID></meta></presence>`)
	if p := none.Presence; p == nil || len(p.People) > 0 || p.Region != "DJ01" {
		t.Errorf("a count of nobody: %+v; it is a count", p)
	}
	if n := none.Need; !slices.Equal(n.Lacks, []string{"none"}) {
		t.Errorf("lacks %v, want none, which is not the same as no answer", n.Lacks)
	}
	silent, _ := factsOf(t, "presence", `<presence id="presence"><where><observed>2026-03-04</observed><site>X</site></where><meta><instanceID>uuid:3</instanceID></meta></presence>`)
	if n := silent.Need; len(n.Lacks) > 0 || len(n.Asked) > 0 {
		t.Errorf("asked %v lacks %v; nothing was answered", n.Asked, n.Lacks)
	}
}

func TestInterviewFacts(t *testing.T) {
	t.Parallel()
	got, flags := factsOf(t, "fms", `<fms id="fms"><consent_page><point>obock</point><observed>2026-03-04</observed><consent>yes</consent><before>no</before></consent_page>
		<interview><profile><sex>female</sex><age>24</age><nationality>ETH</nationality><marital>single</marital><education>primary</education></profile>
		<journey><origin>ETH</origin><origin_place>Harar</origin_place><left_when>two_weeks</left_when><reason>economic conflict</reason><transport>foot</transport><company>others</company><company_size>5</company_size></journey>
		<plans><next>YEM</next><final>SAU</final><why_final>jobs</why_final><go_back>unknown</go_back></plans>
		<hardship><difficulty>hunger money</difficulty><information>none</information><wants_help>yes</wants_help></hardship></interview><meta><instanceID>uuid:1</instanceID></meta></fms>`)
	at := dtm.Where{Point: "obock", PointText: "obock"}
	want := dtm.Facts{
		Interview: &dtm.Interview{Where: at, Source: "uuid:1", Observed: dayOfFacts, Consent: "yes", Before: "no", Sex: "female", Years: 24, Nationality: "ETH", Marital: "single", Education: "primary",
			Origin: "ETH", LeftWhen: "two_weeks", Company: "others", CompanySize: 5, Reasons: []string{"conflict", "economic"}, Transports: []string{"foot"},
			Next: "YEM", Final: "SAU", WhyFinal: []string{"jobs"}, GoBack: "unknown", Difficulties: []string{"hunger", "money"}, Information: []string{"none"}, WantsHelp: "yes"},
		Need: &dtm.Need{Where: at, Observed: dayOfFacts, Subject: dtm.SubjectPerson, People: 1, Consent: "yes", Sex: "female", Years: 24, Nationality: "ETH", Asked: []string{"information"}, Lacks: []string{"none"}},
	}
	if d := cmp.Diff(want, got); d != "" || len(flags) > 0 {
		t.Errorf("flags %v\n%s", flags, d)
	}
	refused, _ := factsOf(t, "fms", `<fms id="fms"><consent_page><point>obock</point><observed>2026-03-04</observed><consent>no</consent></consent_page><meta><instanceID>uuid:2</instanceID></meta></fms>`)
	if i := refused.Interview; i == nil || i.Complete() || i.Years != dtm.NotRecorded || i.Sex != "" {
		t.Errorf("a refusal: %+v", i)
	}
}

// TestScreeningFacts: what the answers say of needs and programmes is a fact; what
// they say of asylum, trafficking and violence is none.
func TestScreeningFacts(t *testing.T) {
	t.Parallel()
	got, flags := factsOf(t, "screening", `<screening id="screening"><open><point>dikhil</point><observed>2026-03-04</observed><consent>yes</consent></open>
		<screen><who><sex>male</sex><age>16</age><nationality>ETH</nationality><child_with>alone</child_with></who>
		<health_page><health>soon</health><vulnerability>uac</vulnerability><need>water</need><reach>no</reach></health_page>
		<safety><danger>no</danger><asylum>yes</asylum><forced>unsure</forced><violence>no</violence></safety>
		<proposed>protection health direct_assistance</proposed><priority>urgent</priority>
		<result><share>yes</share><refer>protection health</refer></result></screen><meta><instanceID>uuid:1</instanceID></meta></screening>`)
	want := dtm.Facts{Need: &dtm.Need{Where: dtm.Where{Point: "dikhil", PointText: "dikhil"}, Observed: dayOfFacts, Subject: dtm.SubjectPerson, People: 1, Consent: "yes", Sex: "male", Years: 16, Nationality: "ETH",
		Asked: []string{"food", "health", "information", "items", "other", "protection", "return", "shelter", "transport", "water"}, Lacks: []string{"health", "water"}, Vulnerable: []string{"uac"},
		Priority: "urgent", Reach: "no", Proposed: []string{"direct_assistance", "health", "protection"}, Referred: []string{"health", "protection"}, Share: "yes"}}
	if d := cmp.Diff(want, got); d != "" || len(flags) > 0 {
		t.Errorf("flags %v\n%s", flags, d)
	}
}

func TestOtherFacts(t *testing.T) {
	t.Parallel()
	got, flags := factsOf(t, "event", `<event id="event"><what><kind>shipwreck</kind><observed>2026-03-04</observed><region>DJ01</region><area>DJ0115</area><site>Ras Bir</site><source>authority</source><danger>yes</danger></what>
		<people><population>migrants</population><affected>60</affected><dead>0</dead><missing>12</missing></people><response><need>health</need><told>supervisor</told><helping>some</helping><roads>yes</roads></response><meta><instanceID>uuid:1</instanceID></meta></event>`)
	x := dtm.NotRecorded
	want := &dtm.Incident{Where: dtm.Where{Site: "Ras Bir", Region: "DJ01", Area: "DJ0115"}, Observed: dayOfFacts, Kind: "shipwreck", Heard: "authority", Danger: "yes",
		Affected: 60, Dead: 0, Missing: 12, Injured: x, Children: x, Displaced: x, Population: []string{"migrants"}, Helping: "some", Roads: "yes"}
	if d := cmp.Diff(want, got.Incident); d != "" || len(flags) > 0 || got.Presence != nil {
		t.Errorf("flags %v, presence %v\n%s", flags, got.Presence, d)
	}
	if n := got.Need; n == nil || n.People != 60 || n.Subject != dtm.SubjectIncident {
		t.Errorf("need %+v", n)
	}
	point, _ := factsOf(t, "assessment", `<assessment id="assessment"><visit><known>yes</known><point>galafi</point><observed>2026-03-04</observed></visit><services><service>water shade police</service></services><meta><instanceID>uuid:2</instanceID></meta></assessment>`)
	if n := point.Need; n == nil || n.Subject != dtm.SubjectPoint || n.People != 0 || strings.Join(n.Lacks, " ") != "food health information transport" || strings.Join(n.Asked, " ") != "food health information transport water" {
		t.Errorf("a point with water, shade and police: %+v", n)
	}
	moved, _ := factsOf(t, "fmr", `<fmr id="fmr"><point>obock</point><observed>2026-03-04</observed><block><nationality>ETH</nationality><men>3</men></block><meta><instanceID>uuid:3</instanceID></meta></fmr>`)
	if len(moved.Movements) != 1 || moved.Presence != nil || moved.Need != nil || moved.Interview != nil || moved.Incident != nil {
		t.Errorf("a group that passes is %+v", moved)
	}
}

// TestFactsWithoutDay: what stands on no day is no fact, and is flagged.
func TestFactsWithoutDay(t *testing.T) {
	t.Parallel()
	got, flags := factsOf(t, "event", `<event id="event"><what><kind>flood</kind><observed>yesterday</observed></what><meta><instanceID>uuid:1</instanceID></meta></event>`)
	if !got.Empty() || len(flags) != 2 || flags[0].Rule != "date.invalid" || flags[1].Rule != "date.missing" {
		t.Errorf("%+v, flags %v", got, flags)
	}
}
