//! The four jobs as state machines and folds. Floor 1: pure, imports `model` alone.
//!
//! `said` reads what a body is; `warn` holds the life of a shared object: said, withdrawn, erased, receipted; `duty` says
//! who is on duty, `ladder` whom an alert wakes next; `commit` says when one person may commit the nation and when two must.

pub mod assist;
pub mod commit;
pub mod duty;
pub mod ladder;
pub mod limits;
pub mod said;
pub mod warn;
