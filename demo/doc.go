// Package demo invents an operation's data: a form, a register of points and a day
// come in, instances of the form that were filled in that day go out. Everything
// follows from the seed and the day; nothing is taken from real records.
//
// Parameters, chosen to look like a network on the road from Ethiopia to the
// coast, not to reproduce any:
//
//   - points: each with a mean number of groups a day, a role in the route
//     (inland, coast, border) and, for two, months without staff;
//   - season: fewer people in the Khamsin heat of June to August, more in the calm
//     sea of October to April; a dip of 40 % in Ramadan; fewer groups on Fridays;
//   - groups: 1 to 60 people, log-normal, mean about 12; nine of ten of one
//     nationality, Ethiopian in 97 of 100;
//   - people: men 68 %, women 22, boys 7, girls 3; one group in forty at night with
//     sex and age not known;
//   - directions: two in three go out, at the coast nearly all; one group in eight
//     at the coast returns from Yemen;
//   - reasons: economic 75 %, conflict 18, food 6, disaster 4, family 3; several
//     are possible;
//   - faults, one group in a hundred each: a point spelt as nobody spells it, a
//     date in the future, more unaccompanied children than children.
//
// Of the other forms of the pack (NewForm) it invents less: surveys of one in
// fourteen groups, four sites of stranded migrants counted each morning, a visit
// of each point a quarter, an event in ten days, and screenings of those who ask
// for help, without faults.
package demo
