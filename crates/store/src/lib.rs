//! The only room with SQL. It keeps truth (logs, statements, releases, intake, partners, accounts …), the views that
//! are folded from it, and nothing else: it decides nothing, knows no clock and makes no randomness.
//!
//! One file, `entraide.db`, in write-ahead mode: one [`Writer`] whose [`Batch`] is one group commit made of savepoints,
//! and any number of [`Reader`]s, each on a snapshot of its own. [`Db`] has every read, [`Tx`] every write.

mod accounts;
mod acts;
mod alerts;
mod answer_links;
mod audiences;
mod backup;
mod chains;
mod cited;
mod columns;
mod connection;
mod disclosures;
mod drafts;
mod duty;
mod error;
mod evidence;
mod guests;
mod handovers;
mod heads;
mod holds;
mod idempotency;
mod identities;
mod ids;
mod intake;
mod invitations;
mod ledger;
mod letters;
pub mod limits;
mod lists;
mod logs;
mod lost;
mod mailbox;
mod memo;
mod migrations;
mod objects;
mod partners;
mod passkeys;
mod purges;
mod reached;
mod red;
mod releases;
mod retention;
mod settings;
mod stamps;
mod statements;
mod tiles;
mod views;
mod withdrawals;
mod witnesses;

#[cfg(test)]
mod testing;

pub use accounts::{NewPerson, PersonRow, PersonState, SessionRow, TokenRow};
pub use acts::{ActRow, AuthorityRow, Signatory};
pub use alerts::{AcknowledgedBy, AlertEventRow, AlertRow, LadderRow, NoticeFate, NoticeRow};
pub use answer_links::AnswerLinkRow;
pub use audiences::AudienceRow;
pub use backup::Keyless;
pub use chains::{ChainRow, ChainTail, SlotOutcome};
pub use connection::{Batch, Db, Reader, Store, Tx, Writer};
pub use disclosures::DisclosureRow;
pub use drafts::RelayDraftRow;
pub use duty::ShiftRow;
pub use error::StoreError;
pub use evidence::EvidenceRow;
pub use guests::{GuestCode, GuestRow};
pub use handovers::HandoverRow;
pub use heads::{ChainOf, Disputed, HeardHead};
pub use holds::{HoldKind, HoldOn, HoldRow};
pub use idempotency::Remembered;
pub use identities::IdentityRow;
pub use ids::{
    ActId, AlertId, AuthorityId, EvidenceId, HandoverId, HoldId, IntakeId, LogId, PersonId, ReleaseSeq, RunId, SetId,
    ShiftId, SpillId, StatementId,
};
pub use intake::{IntakeKnown, IntakeRow, IntakeState, NewIntake};
pub use invitations::InvitationRow;
pub use ledger::{Exports, Face, LedgerRow};
pub use letters::{LetterFate, LetterRow};
pub use lists::{ExportPurpose, ListRow};
pub use logs::{HeardRow, TreeState};
pub use mailbox::{MailRow, MailSignature, MailState};
pub use objects::{ObjectFilter, ObjectRow, ObjectState};
pub use partners::{PartnerRow, PartnerState, ServedRow};
pub use passkeys::PasskeyRow;
pub use purges::{SpillRow, SpilledIntakeRow, SpilledRow};
pub use reached::ReachedRow;
pub use red::ReaderRow;
pub use releases::ReleaseRow;
pub use retention::{Record, RuleRow, RunRow};
pub use stamps::StampedRow;
pub use statements::{Fate, NewStatement, SealedBody, SealedRow, StatementRow, WrappedRow};
pub use tiles::LogTiles;
pub use withdrawals::{ObeyedRow, PendingWithdrawal, ReceiptRow, WithdrawalRow};
pub use witnesses::{CosignedRow, WitnessedRow};
