package access

import (
	"slices"

	"dtm"
)

// Action is something that a person may ask for.
type Action string

// Actions of the program.
const (
	ReadSubmissions   Action = "submission.read"
	SendSubmissions   Action = "submission.send" // by the API; phones have an address of their own
	ReviewSubmissions Action = "submission.review"
	PublishForms      Action = "form.publish"
	ImportData        Action = "data.import"
	CreateReleases    Action = "release.create"
	ExportData        Action = "data.export" // rows, not the published figures
	ManageDevices     Action = "device.manage"
	ChangePoints      Action = "point.change" // read by those who read submissions
	ManageUsers       Action = "user.manage"
	ManageWebhooks    Action = "webhook.manage"
	ReadLog           Action = "log.read"

	ReadReferrals    Action = "referral.read" // which ones: Actor
	ReadPersons      Action = "person.read"   // of whom, and what: Actor
	CarePersons      Action = "person.care"   // subject access, restriction, erasure
	ReadRetention    Action = "retention.read"
	Retain           Action = "retention.do"
	BreakGlass       Action = "glass.break"
	ReviewGlass      Action = "glass.review"
	ReadAgreements   Action = "agreement.read"
	ManageAgreements Action = "agreement.manage"

	ReceiveFigures Action = "figures.receive" // views and subscriptions; how far: Reach
)

// allowed names the roles that may do each action. What is not named is refused.
var allowed = map[Action][]string{
	ReadSubmissions:   {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor},
	SendSubmissions:   {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator},
	ReviewSubmissions: {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor},
	PublishForms:      {dtm.RoleAdmin, dtm.RoleManager},
	ImportData:        {dtm.RoleAdmin, dtm.RoleManager},
	CreateReleases:    {dtm.RoleAdmin, dtm.RoleManager},
	ExportData:        {dtm.RoleAdmin, dtm.RoleManager},
	ManageDevices:     {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor},
	ChangePoints:      {dtm.RoleAdmin, dtm.RoleManager},
	ManageUsers:       {dtm.RoleAdmin},
	ManageWebhooks:    {dtm.RoleAdmin},
	ReadLog:           {dtm.RoleAdmin, dtm.RoleAuditor},

	ReadReferrals:    {dtm.RoleFocal, dtm.RoleDesk},
	ReadPersons:      {dtm.RoleFocal, dtm.RoleDesk},
	CarePersons:      {dtm.RoleFocal},
	ReadRetention:    {dtm.RoleAdmin, dtm.RoleFocal, dtm.RoleAuditor},
	Retain:           {dtm.RoleFocal},
	BreakGlass:       {dtm.RoleDesk},
	ReviewGlass:      {dtm.RoleFocal, dtm.RoleAuditor},
	ReadAgreements:   {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleFocal, dtm.RoleAuditor},
	ManageAgreements: {dtm.RoleAdmin},

	ReceiveFigures: {dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleFocal, dtm.RoleDesk, dtm.RolePartner},
}

// Decide returns nil when the user may do the action: Unauthenticated when there
// is no user or access has ended, Forbidden when the role does not allow it.
func Decide(u dtm.User, a Action) error {
	if u.Email == "" || u.Disabled != nil {
		return dtm.Errorf(dtm.Unauthenticated, "sign in first").Coded("signin.first")
	}
	if !slices.Contains(allowed[a], u.Role) {
		return dtm.Errorf(dtm.Forbidden, "your role (%s) does not include this; ask an administrator", u.Role).
			Coded("access.role", dtm.Word("user.role."+u.Role))
	}
	return nil
}
