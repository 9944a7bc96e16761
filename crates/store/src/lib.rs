//! The only room with SQL. It keeps truth (logs, statements, releases, intake, partners, accounts …), the views that
//! are folded from it, and nothing else: it decides nothing, knows no clock and makes no randomness.
//!
//! One file, `entraide.db`, in write-ahead mode: one [`Writer`] whose [`Batch`] is one group commit made of savepoints,
//! and any number of [`Reader`]s, each on a snapshot of its own. [`Db`] has every read, [`Tx`] every write.

mod accounts;
mod audiences;
mod chains;
mod cited;
mod columns;
mod connection;
mod error;
mod evidence;
mod idempotency;
mod ids;
mod intake;
mod invitations;
mod ledger;
pub mod limits;
mod logs;
mod memo;
mod migrations;
mod objects;
mod partners;
mod releases;
mod settings;
mod statements;
mod tiles;
mod views;
mod withdrawals;
mod witnesses;

#[cfg(test)]
mod testing;

pub use accounts::{NewPerson, PersonRow, PersonState, SessionRow, TokenRow};
pub use audiences::AudienceRow;
pub use chains::{ChainRow, ChainTail, SlotOutcome};
pub use connection::{Batch, Db, Reader, Store, Tx, Writer};
pub use error::StoreError;
pub use evidence::EvidenceRow;
pub use idempotency::Remembered;
pub use ids::{EvidenceId, IntakeId, LogId, PersonId, ReleaseSeq, SetId, StatementId};
pub use intake::{IntakeKnown, IntakeRow, IntakeState, NewIntake};
pub use invitations::InvitationRow;
pub use ledger::{Exports, Face, LedgerRow};
pub use logs::{HeardRow, TreeState};
pub use objects::{ObjectFilter, ObjectRow, ObjectState};
pub use partners::{PartnerRow, PartnerState, ServedRow};
pub use releases::ReleaseRow;
pub use statements::{Fate, NewStatement, SealedBody, SealedRow, StatementRow};
pub use tiles::LogTiles;
pub use withdrawals::{ObeyedRow, PendingWithdrawal, ReceiptRow, WithdrawalRow};
pub use witnesses::{CosignedRow, WitnessedRow};
