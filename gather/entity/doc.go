// Package entity is what a submission does to entity lists: the declarations of a
// form and of a submission come in with the entity as it is, changes of entities
// go out, and lists go out as the files that phones read. It keeps nothing: a
// Follower reads the log and the store by the contracts of package dtm.
//
// Rules after the ODK XForms specification of entities, 2022.1 (create), 2023.1
// (update), 2024.1 (offline branches) and 2025.1 (from repeats).
package entity
