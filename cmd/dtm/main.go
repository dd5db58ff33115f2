// Command dtm runs a displacement tracking operation: submissions and history
// come in; pages, reports and figures go out. This package only wires the rooms
// together and speaks to the terminal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/term"

	"dtm"
	"dtm/disseminate/report"
)

// command is one sub-command. Those that work on a data folder are carried out
// by the folder's running server when there is one.
type command struct {
	name  string
	args  string // usage after the name
	says  string // one line for the list
	owner bool   // needs the folder to itself: never carried out by a server
	run   func(context.Context, *call) error
}

var commands []command

// init breaks a circle: serving carries out commands, serving is one.
func init() { commands = list() }

func list() []command {
	return []command{
		{"init", "-data DIR [-operation djibouti] [-admin EMAIL -password-file F] [-store URL] [-warehouse URL]", "make a data folder", true, runInit},
		{"serve", "-data DIR [-listen 127.0.0.1:8080] [-store URL] [-warehouse URL]", "serve phones, pages and the API", true, runServe},
		{"demo", "[-listen 127.0.0.1:8080]", "serve a complete synthetic operation from a temporary folder", true, runDemo},
		{"form convert", "FILE", "turn an XLSForm into an XForm, or name its faults", false, runFormConvert},
		{"form publish", "-data DIR FILE [ATTACHMENT...]", "make a form available to phones", false, runFormPublish},
		{"form list", "-data DIR", "list published forms", false, runFormList},
		{"form try", "-data DIR FILE [ATTACHMENT...]", "let phones try a form before it is published; prints the code to scan", false, runFormTry},
		{"form diff", "-data DIR ID [VERSION VERSION]", "what changed between two versions of a form, the last two unless named", false, runFormDiff},
		{"form paper", "-data DIR -lang fr -out F.pdf ID | -lang fr -out F.pdf FILE", "print a form, to be filled in with a pen", false, runFormPaper},
		{"form strings", "[-data DIR] -out SHEET.xlsx FORM | [-data DIR] -in SHEET.xlsx -out NEW.xlsx FORM", "a sheet for translators of a form, by id or FILE; and back into the form, checked", false, runFormStrings},
		{"form state", "-data DIR ID open|closing|closed", "open a form, stop handing it out, or refuse its submissions", false, runFormState},
		{"device add", "-data DIR -name NAME [-point CODE] [-lang fr]", "admit a phone; prints its address and QR code", false, runDeviceAdd},
		{"device list", "-data DIR", "list phones", false, runDeviceList},
		{"device move", "-data DIR NAME POINT|-", "have a phone be at another point from now on; prints where it was", false, runDeviceMove},
		{"device code", "-data DIR NAME", "give a phone a new code; the one before it is void", false, runDeviceCode},
		{"device revoke", "-data DIR [-reason R] NAME", "shut a phone out", false, runDeviceRevoke},
		{"point list", "-data DIR [-on DAY] [-seq N]", "list the flow monitoring points, as of any day and any event", false, runPointList},
		{"point show", "-data DIR CODE [-on DAY] [-seq N]", "a point and everything that was said of it", false, runPointShow},
		{"point open", "-data DIR CODE -from DAY [-en NAME -fr NAME] [-lat Y -lon X] [-region P-CODE] [-role R] [-days daily -hours 06:00-18:00]", "open a point from a day; a new one with its name", false, runPointOpen},
		{"point close", "-data DIR CODE -from DAY [-reason WHY]", "close a point from a day", false, runPointClose},
		{"point move", "-data DIR CODE -from DAY [-lat Y -lon X] [-region P-CODE]", "put a point elsewhere from a day", false, runPointMove},
		{"point rename", "-data DIR CODE -from DAY -en NAME [-fr NAME] [-ar NAME]", "give a point another name from a day; the old one stays a spelling", false, runPointRename},
		{"point role", "-data DIR CODE entry|transit|exit|return -from DAY", "give a point another role from a day", false, runPointRole},
		{"point plan", "-data DIR CODE -from DAY -days daily -hours 06:00-18:00", "say when a point is observed", false, runPointPlan},
		{"point alias", "-data DIR CODE SPELLING", "let a spelling mean a point", false, runPointAlias},
		{"point assign", "-data DIR CODE -from DAY [-devices NAME,...] [-enumerators EMAIL,...]", "say who observes at a point", false, runPointAssign},
		{"point undo", "-data DIR CODE EVENT", "make a change as if it had never been made", false, runPointUndo},
		{"point silent", "-data DIR [-all]", "points of which a planned day brought nothing", false, runPointSilent},
		{"point dismiss", "-data DIR POINT/DAY -reason WHY", "end the alert about a silent point", false, runPointDismiss},
		{"area list", "-data DIR [-codes]", "which boundaries were in use when; or the areas in use with their P-codes", false, runAreaList},
		{"area check", "-data DIR FILE...", "what an official boundary file (COD-AB GeoJSON, or its zip) would change; changes nothing", false, runAreaCheck},
		{"area replace", "-data DIR [-names] [-retire] [-reason WHY] FILE...", "take an official boundary file into use; maps and figures follow, releases keep theirs", false, runAreaReplace},
		{"area restore", "-data DIR [-reason WHY] VERSION", "take earlier boundaries into use again; 0: those of the pack", false, runAreaRestore},
		{"coverage", "-data DIR [-month M]", "days and hours planned and observed by point, and how long records took to arrive", false, runCoverage},
		{"webhook add", "-data DIR -url URL [-forms ID,...] [-events E,...] [-allow NETWORK,...]", "tell an address of new submissions; prints the secret of its signatures", false, runWebhookAdd},
		{"webhook list", "-data DIR [-log ID]", "list the addresses told, or what one was told", false, runWebhookList},
		{"webhook test", "-data DIR ID", "send a signed trial message", false, runWebhookTest},
		{"webhook resume", "-data DIR ID", "end the pause of an address that failed for days", false, runWebhookResume},
		{"webhook remove", "-data DIR ID", "tell an address no more", false, runWebhookRemove},
		{"subscription add", "-data DIR -for EMAIL [-kind indicator|alert|report] [-of ID] [-where region=CODE] [-rule R -bound N] [-pace once|daily|weekly] [-lang fr] [-webhook URL [-allow NETWORK,...]]", "tell an account of a figure, of alerts or of reports", false, runSubscriptionAdd},
		{"subscription list", "-data DIR [-log ID]", "list subscriptions, or what one was told", false, runSubscriptionList},
		{"subscription stop", "-data DIR ID", "stop a subscription; nothing more is sent", false, runSubscriptionStop},
		{"subscription bounce", "-data DIR FILE...", "count messages that a mail system sent back", false, runSubscriptionBounce},
		{"mail test", "-data DIR -to EMAIL [-lang fr]", "send a trial message by the mail server of the settings", false, runMailTest},
		{"user add", "-data DIR -email E -role R -password-file F", "add a user", false, runUserAdd},
		{"user invite", "-data DIR -email E -role R [-partner CODE] [-desk CODE]", "print an address by which somebody opens their account, once within a day", false, runUserInvite},
		{"user reset", "-data DIR [-second] EMAIL", "print an address by which a user chooses a new password", false, runUserReset},
		{"user signout", "-data DIR EMAIL", "end all sessions of a user", false, runUserSessions},
		{"agreement add", "-data DIR -partner CODE -purpose TEXT -from DAY -to DAY [-kind cases|figures] [-programmes P,... -groups G,...] [-areas A,...]", "record an agreement to share data with a partner", false, runAgreementAdd},
		{"agreement list", "-data DIR", "list agreements and whether they are in force", false, runAgreementList},
		{"agreement end", "-data DIR -reason WHY ID", "end an agreement, now", false, runAgreementEnd},
		{"user list", "-data DIR", "list users", false, runUserList},
		{"user disable", "-data DIR EMAIL", "disable a user", false, runUserDisable},
		{"import movements", "-data DIR FILE [-rejects F]", "import registry history, CSV or XLSX", false, runImport},
		{"import published", "-data DIR FILE", "keep figures that were published elsewhere, CSV, and compare them with the records", false, runImportPublished},
		{"import series", "-data DIR [-series CODE] FILE | -data DIR -undo EVENT", "keep counts by month that others made and published, CSV, such as arrivals across the sea", false, runImportSeries},
		{"import list", "-data DIR", "which files were imported, and what became of their rows", false, runImportList},
		{"import undo", "-data DIR -why TEXT [-as EMAIL] IMPORT", "take the rows of an import out of the figures", false, runImportUndo},
		{"warehouse rebuild", "-data DIR [-anew]", "make the warehouse anew from the log, beside the one in use; goes on where it was interrupted", true, runRebuild},
		{"query", "-data DIR [-public] [-limit 1000] [-format table|csv|json] \"SELECT ...\"", "ask the warehouse in SQL, reading only; without a question, what can be asked", false, runQuery},
		{"indicator list", "[-data DIR | -operation NAME] [-lang en]", "list the indicators", false, runIndicatorList},
		{"indicator show", "NAME [-data DIR | -operation NAME] [-lang en]", "definition, formula, unit and limits of an indicator", false, runIndicatorShow},
		{"indicator", "-data DIR NAME -from 2022-12 [-to 2022-12] [-by point,sex] [-where previous=ETH] [-format table|csv|json]", "compute an indicator", false, runIndicator},
		{"warning", "-data DIR [-series movements|entries|returns] [-by point|corridor] [-week | -day] [-all] [-format table|csv|json]", "which counts have left their expected range", false, runWarning},
		{"warning backtest", "-data DIR | -synthetic [the flags of warning]", "what would have been raised, when, how many false", false, runWarningBacktest},
		{"alert list", "-data DIR [-state open|confirmed|dismissed|cleared|all] [-kind count|silent] [-id ALERT] [-format table|csv|json]", "alerts about counts and silent points, the latest first; or the history of one", false, runAlertList},
		{"alert confirm", "-data DIR [-as EMAIL] [-note TEXT] ID...", "an alert is real: it is published if its count is", false, runAlertConfirm},
		{"alert dismiss", "-data DIR -reason CODE [-as EMAIL] [-note TEXT] ID...", "an alert is none, and why", false, runAlertDismiss},
		{"alert reopen", "-data DIR [-as EMAIL] [-note TEXT] ID...", "take a decision about an alert back", false, runAlertReopen},
		{"outlook", "-data DIR [-series movements|entries|returns] [-by point|corridor] [-week] [-ahead N] [-past | -scores] [-format table|csv|json]", "what is expected of the months or weeks to come, with intervals", false, runOutlook},
		{"outlook archive", "-data DIR [-week] [-by point|corridor] [-format table|csv|json]", "forecasts as they were made, with what came", false, runOutlookArchive},
		{"outlook now", "-data DIR [-format table|csv|json]", "this week and the last with what is still to arrive of late records", false, runOutlookNow},
		{"outlook needs", "-data DIR [-format table|csv|json]", "people expected in need of each programme, against declared capacity", false, runOutlookNeeds},
		{"outlook capacity", "-data DIR [PROGRAMME PEOPLE [-from DAY]]", "declare how many people a month a programme can serve, or list what is declared", false, runOutlookCapacity},
		{"survey", "-data DIR [QUESTION] [-from M] [-to M] [-weights movements|none] [-lang fr] [-format table|csv|json]", "shares of answers in interviews with sampling error and caveats; the questions without one", false, runSurvey},
		{"network", "-data DIR -from M [-to M] [-public] [-format table|csv|json]", "where movements come from and go to, with those of which one side is not known spread over the other", false, runNetwork},
		{"network beside", "-data DIR [-series CODE] [-public] [-format table|csv|json]", "counts that others made, such as arrivals across the sea, beside ours by month", false, runNetworkBeside},
		{"network balance", "-data DIR -from M [-to M] [-public] [-format table|csv|json]", "counts of points on one road against each other: how far they are from leaving nobody over", false, runNetworkBalance},
		{"network persons", "-data DIR -from M [-to M] [-format table|csv|json]", "persons behind the movements, estimated from interviews that say whether the person was counted before", false, runNetworkPersons},
		{"network twice", "FIRST SECOND BOTH", "persons, estimated from two counts and those met by both (Chapman)", false, runNetworkTwice},
		{"report", "-data DIR [-product P] -month 2022-12 -lang fr -out F.pdf", "write a report: monthly, weekly, point, annual, partner, stranded", false, runReport},
		{"publish site", "-data DIR -out FOLDER|F.zip [-release N] [-lang en,fr]", "copy the public pages and their files to a folder or a zip that opens from a disk, without server or network", false, runPublishSite},
		{"publish hdx", "-data DIR -dry-run -out FOLDER|F.zip [-release N]", "write the package for the Humanitarian Data Exchange: its description and its files; nothing is sent", false, runPublishHDX},
		{"release create", "-data DIR -month 2022-12 [-note TEXT] [-check] [-as EMAIL -password-file F]", "check a month and freeze it as a numbered release, proposed", false, runReleaseCreate},
		{"release list", "-data DIR", "list releases with their states", false, runReleaseList},
		{"release show", "-data DIR N", "a release's manifest, checks and changes", false, runReleaseShow},
		{"release approve", "-data DIR N -as EMAIL -password-file F", "publish a proposed release: a second person does", false, runReleaseApprove},
		{"release withdraw", "-data DIR N -reason TEXT -as EMAIL -password-file F", "take a release back, with the reason", false, runReleaseWithdraw},
		{"release verify", "-data DIR N", "compute a release again from the event log and compare it byte for byte", false, runReleaseVerify},
		{"release diff", "-data DIR N N", "what changed between two releases of a month, and why", false, runReleaseDiff},
		{"backup", "-data DIR -out F [-to KEY]", "write everything into one file while the server runs", false, runBackup},
		{"backup key", "-out F", "make a pair of keys: the secret one into the file, the public one for the settings", true, runBackupKey},
		{"backup now", "-data DIR", "put an encrypted backup on the shelf at once; the server does every hour", false, runBackupNow},
		{"backup list", "-data DIR", "the backups on the shelf, and which was restored on trial", false, runBackupList},
		{"backup verify", "FOLDER", "hold every file of a shelf against the hash it was written with; needs no key", true, runBackupVerify},
		{"restore", "-data DIR F [-key F]", "make a data folder from a backup", true, runRestore},
		{"quality", "-data DIR [-month M] [-all] [-raise]", "what the quality rules find in a month", false, runQuality},
		{"rule list", "-data DIR [-lang fr]", "the quality rules: in use or not, how often they found something, how often reviewers agreed", false, runRuleList},
		{"rule show", "-data DIR ID [-lang fr]", "explanation, limits and record of a rule", false, runRuleShow},
		{"rule try", "-data DIR [-from M] [-to M] ID [LIMIT=NUMBER...]", "run a rule on history as it would be, changing nothing", false, runRuleTry},
		{"rule on", "-data DIR -why TEXT [-as EMAIL] ID [LIMIT=NUMBER...]", "use a rule, with limits of one's own", false, runRuleOn},
		{"rule off", "-data DIR -why TEXT [-as EMAIL] ID", "use a rule no more", false, runRuleOff},
		{"review list", "-data DIR [-state open] [-point CODE] [-rule ID]", "flags that somebody should look at, the heaviest first", false, runReviewList},
		{"review show", "-data DIR ID", "flags, decisions, corrections and answers of a submission", false, runReviewShow},
		{"review confirm", "-data DIR [-as EMAIL] [-why TEXT] ID...", "the record is right", false, runReviewConfirm},
		{"review reject", "-data DIR -why TEXT [-as EMAIL] ID...", "the record leaves the figures; it is kept", false, runReviewReject},
		{"review correct", "-data DIR -why TEXT [-as EMAIL] [-base N] ID PATH=VALUE...", "correct answers; what was sent is kept", false, runReviewCorrect},
		{"review ask", "-data DIR [-as EMAIL] ID QUESTION", "ask the enumerator who sent it", false, runReviewAsk},
		{"referral list", "-data DIR [-desk CODE] [-state S] [-all]", "referrals, the most pressing first; nobody is named", false, runReferralList},
		{"referral show", "-data DIR NUMBER", "a referral: where it stands, its clocks, its history; nobody is named", false, runReferralShow},
		{"desk list", "-data DIR", "the desks that answer referrals, with their places", false, runDeskList},
		{"desk set", "-data DIR CODE [-programme P -partner P -en NAME -fr NAME] [-capacity N|none] [-pause WHY] [-area P-CODE] [-lat Y -lon X] [-services N,...] [-languages L,...] [-days D -hours 08:00-16:00] [-consulate] [-closed]", "add a desk, or change it", false, runDeskSet},
		{"move", "-from DIR -to postgres://... | -from postgres://... -to DIR", "take the store of a folder to PostgreSQL, or back; compared row by row, goes on where it was interrupted", true, runMove},
		{"move media", "-data DIR -to s3://BUCKET/PREFIX|FOLDER [-from PLACE]", "take photos and attachments to an S3 store or another folder, or back; each is held against its hash there", true, runMoveMedia},
		{"person export", "-data DIR -out F.html [-lang fr] NUMBER", "everything that is known of the person of a referral, for that person", false, runPersonExport},
		{"person restrict", "-data DIR -why asked|disputed|claim [-end] NUMBER", "have nobody read on about the person of a referral; -end lets them again", false, runPersonRestrict},
		{"person erase", "-data DIR -why asked|mistake|unlawful NUMBER", "destroy the key of the person of a referral; tells when the last backup forgets it", false, runPersonErase},
		{"key new", "-data DIR", "begin with a new key where the key file is lost; says what is lost with it", true, runKeyNew},
		{"retention", "-data DIR [-do]", "what has been kept long enough; -do erases it", false, runRetention},
		{"log checkpoint", "-data DIR [-key]", "print the signed state of the event log, to be kept elsewhere; or the public key", false, runLogCheckpoint},
		{"check", "-data DIR [-against FILE]", "verify the event log, its signed states and the attachments", false, runCheck},
		{"doctor", "-data DIR", "look at disk, clock, backups, certificate, what waits and who is silent", false, runDoctor},
		{"memory", "-data DIR [-collect] [-out FOLDER] [-format table|json]", "what the memory of the server is taken by; -out keeps profiles for go tool pprof", false, runMemory},
		{"version", "", "print the version", false, runVersion},
	}
}

func main() {
	report.Work() // as a process of the PDF engine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dtm:", err)
		os.Exit(1)
	}
	c := &call{args: os.Args[1:], dir: dir, env: os.Getenv, out: os.Stdout, err: os.Stderr, folders: folders{}}
	if fd := int(os.Stderr.Fd()); term.IsTerminal(fd) {
		c.tty = true
		if w, _, err := term.GetSize(fd); err == nil {
			c.width = w
		}
	}
	debug.SetMemoryLimit(2 << 30)
	code := run(ctx, c)
	runtime.KeepAlive(ballast)
	os.Exit(code)
}

// ballast is counted by the garbage collector and never touched, so that it takes
// no memory: a small heap with plenty of short-lived garbage is collected after
// 48 MB more, not after every few, which gives a fifth more throughput, while a
// heap that large bodies have filled may not grow to five times its size, as a
// higher GOGC would let it.
var ballast = make([]byte, 48<<20)

// run finds the sub-command, hands it to the server of its data folder or
// carries it out, and returns the exit code: 0 done, 1 failed with a reason,
// 2 wrong use.
func run(ctx context.Context, c *call) int {
	cmd, rest, ok := find(c.args)
	if !ok {
		if len(rest) > 0 && !helpWanted(rest[0]) {
			fmt.Fprintf(c.err, "dtm: unknown command %q\n\n", strings.Join(rest, " "))
			usage(c.err)
			return 2
		}
		if len(rest) == 0 {
			usage(c.err)
			return 2
		}
		usage(c.out)
		return 0
	}
	c.command, c.rest = cmd, rest
	if !cmd.owner {
		if code, done := delegate(ctx, c); done {
			return code
		}
	}
	return c.exit(cmd.run(ctx, c))
}

// exit prints the error and returns the exit code.
func (c *call) exit(err error) int {
	var wrong *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(c.err, "dtm %s: %s\nusage: dtm %s %s\n", c.command.name, wrong.msg, c.command.name, c.command.args)
		return 2
	case errors.Is(err, errSaid):
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(c.err, "dtm %s: stopped\n", c.command.name)
		return 1
	}
	var known *dtm.Error
	if errors.As(err, &known) && known.Kind != dtm.Internal {
		err = known
	}
	fmt.Fprintf(c.err, "dtm %s: %v\n", c.command.name, err)
	return 1
}

// find matches the longest command name at the start of args.
func find(args []string) (command, []string, bool) {
	for words := min(2, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		for _, cmd := range commands {
			if cmd.name == name {
				return cmd, args[words:], true
			}
		}
	}
	return command{}, args, false
}

func helpWanted(s string) bool {
	return s == "-h" || s == "-help" || s == "--help" || s == "help"
}

func usage(w io.Writer) {
	fmt.Fprint(w, "dtm runs a displacement tracking operation, from the phone to the published figure.\n\nusage: dtm COMMAND [FLAGS] [ARGUMENTS]\n\n")
	for _, cmd := range commands {
		fmt.Fprintf(w, "  %-18s %s\n", cmd.name, cmd.says)
	}
	fmt.Fprint(w, "\n`dtm COMMAND -h` explains one. Start with `dtm demo`.\n")
}
