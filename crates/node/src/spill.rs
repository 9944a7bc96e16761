//! A spill: something that must not be here, such as a classified word or a victim's secret. It is purged here, withdrawn
//! with purge from everyone to whom we said it, and a report says who opened it, who carried it out, and who has it still.

use journal::envelope;
use model::extension::WithdrawalAction;
use model::{EntryRef, Lane, Origin};
use store::{
    Db, IntakeId, LedgerRow, LogId, ObjectState, ReceiptRow, SpillId, SpillRow, SpilledIntakeRow, SpilledRow,
    StatementId, StatementRow, StoreError,
};

use crate::actor::{Actor, Permission};
use crate::limits;
use crate::me::Me;
use crate::purge;
use crate::query;
use crate::subject::{self, Subject};
use crate::withdraw::{self, WithdrawError};
use crate::work::Work;

/// Why a spill was refused.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A statement of ours could not be withdrawn.
    #[error(transparent)]
    Withdraw(#[from] WithdrawError),
    /// Nothing here has that name.
    #[error("nothing here is named `{0}`: look with `show`, or at the list of intake")]
    Unknown(String),
    /// Too many statements at once.
    #[error("`{0}` names more than 1,000 statements: spill them entry by entry")]
    TooMany(String),
    /// No reason, or one that is too long.
    #[error("a spill needs its reason, of at most 4,000 bytes; partners read it, so do not repeat the secret in it")]
    Reason,
    /// The law holds some of it.
    #[error(
        "under legal hold: {0}. Two persons who may order a spill must agree: name those beside yourself with \
         `despite_hold` (--despite-hold LOGIN)"
    )]
    Held(String),
    /// Somebody who was named can't agree.
    #[error("`{0}` can't agree to purge what the law holds: name another active person who may order a spill")]
    Person(String),
}

/// What is ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// What must not be here.
    pub subject: Subject,
    /// Why, without the secret: partners read it.
    pub reason: String,
    /// The logins of those who agree to purge what the law holds.
    pub despite_hold: Vec<String>,
}

/// What a spill of a subject reaches.
#[derive(Debug, Default)]
struct Reach {
    statements: Vec<StatementRow>,
    intake: Vec<SpilledIntakeRow>,
}

/// A statement names what intake has of the same version of its object, an object of intake its copies and what we said
/// from it; an object names all of it, partners' statements too.
fn reach(db: &Db<'_>, me: &Me, on: &Subject) -> Result<Reach, SpillError> {
    let unknown = || SpillError::Unknown(on.to_string());
    let mut found = Reach::default();
    match on {
        Subject::Entry(entry) => {
            let row = subject::statement(db, me, *entry)?.ok_or_else(unknown)?;
            if let Some(object) = db.object(row.id)? {
                let known = db.intake_known(&object.stix_id)?;
                let same = known.into_iter().filter(|known| known.version == object.version);
                found.intake = intake_rows(db, same.map(|known| known.id))?;
            }
            found.statements.push(row);
        }
        Subject::Object(id) => {
            let rows = db.objects_by_id(id)?;
            found.statements = statement_rows(db, rows.iter().map(|row| row.statement))?;
            found.intake = intake_rows(db, db.intake_known(id)?.into_iter().map(|known| known.id))?;
        }
        Subject::Intake(id) => {
            let row = db.intake(*id)?.ok_or_else(unknown)?;
            let known = db.intake_known(&row.stix_id)?.into_iter();
            let copies = known.filter(|known| known.version == row.version || known.digest == row.digest);
            found.intake = intake_rows(db, copies.map(|known| known.id))?;
            let said = db.objects_by_id(&row.stix_id)?.into_iter();
            let ours = said.filter(|object| object.log == me.log && object.version == row.version);
            found.statements = statement_rows(db, ours.map(|object| object.statement))?;
        }
    }
    if found.statements.is_empty() && found.intake.is_empty() {
        return Err(unknown());
    }
    if found.statements.len() > limits::SPILL_STATEMENTS {
        return Err(SpillError::TooMany(on.to_string()));
    }
    Ok(found)
}

fn statement_rows(db: &Db<'_>, ids: impl Iterator<Item = StatementId>) -> Result<Vec<StatementRow>, StoreError> {
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(db.statement(id)?);
    }
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

fn intake_rows(db: &Db<'_>, ids: impl Iterator<Item = IntakeId>) -> Result<Vec<SpilledIntakeRow>, StoreError> {
    let mut rows = Vec::new();
    for id in ids {
        if let Some(row) = db.intake(id)? {
            rows.push(SpilledIntakeRow { intake: row.id, digest: row.digest, taken: row.taken, person: row.person });
        }
    }
    Ok(rows)
}

/// What the law holds of a reach, by name.
fn held(db: &Db<'_>, found: &Reach) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for row in &found.statements {
        if let Some(hold) = db.hold_on_statement(row.id)? {
            names.push(format!("{} (hold {hold})", subject::name(db, row)?));
        }
    }
    for row in &found.intake {
        if let Some(taken) = db.intake(row.intake)?
            && let Some(hold) = db.hold_on_intake(row.intake, &taken.stix_id)?
        {
            names.push(format!("intake:{} (hold {hold})", row.intake));
        }
    }
    Ok(names)
}

/// Purges what must not be here, and withdraws it from everyone to whom we said it. Its number is that of its report.
///
/// # Errors
/// See [`SpillError`]; nothing is changed then.
pub fn spill(work: &mut Work<'_, '_>, order: &Order, by: &Actor) -> Result<SpillId, SpillError> {
    if order.reason.trim().is_empty() || order.reason.len() > model::limits::TEXT_BYTES {
        return Err(SpillError::Reason);
    }
    let found = reach(work.tx, work.me, &order.subject)?;
    let second = agreed(work, &held(work.tx, &found)?, &order.despite_hold, by)?;
    let id = work.tx.put_spill(work.now, &by.login, second.as_deref(), &order.reason)?;
    for row in &found.statements {
        let withdrawal = spill_statement(work, row, &order.reason)?;
        work.tx.put_spilled(id, &SpilledRow { statement: row.id, withdrawal })?;
    }
    for row in &found.intake {
        if let Some(taken) = work.tx.intake(row.intake)? {
            forget(work, [Some(taken.stix_id.to_string()), taken.title])?;
        }
        purge::intake(work, row.intake)?;
        work.tx.put_spilled_intake(id, row)?;
    }
    work.note_spill(true)?;
    Ok(id)
}

/// Who agreed beside the one who orders it. Nobody needs to if the law holds nothing.
fn agreed(work: &Work<'_, '_>, held: &[String], named: &[String], by: &Actor) -> Result<Option<String>, SpillError> {
    if held.is_empty() {
        return Ok(None);
    }
    let mut persons: Vec<&str> = Vec::new();
    for login in named.iter().map(String::as_str).filter(|login| *login != by.login) {
        let may = work.tx.person_by_login(login)?.is_some_and(|row| {
            row.state == store::PersonState::Active
                && row.roles.iter().any(|role| Permission::Spill.is_carried_by(*role))
        });
        if !may {
            return Err(SpillError::Person(login.chars().take(60).collect()));
        }
        if !persons.contains(&login) {
            persons.push(login);
        }
    }
    // The machine's own socket is no person.
    if persons.len() + usize::from(by.person.is_some()) < 2 {
        return Err(SpillError::Held(held.join(", ")));
    }
    Ok(Some(persons.join(", ")))
}

/// Withdraws one of our own statements of the world, purges it here, and takes its words out of what was derived from it.
fn spill_statement(
    work: &mut Work<'_, '_>,
    row: &StatementRow,
    reason: &str,
) -> Result<Option<model::Index>, SpillError> {
    let object = work.tx.object(row.id)?;
    let name = format!("\"{}\"", subject::name(work.tx, row)?);
    let mut words = vec![Some(name)];
    words.push(object.as_ref().map(|object| object.stix_id.to_string()));
    words.push(object.as_ref().and_then(|object| object.title.clone()));
    let audiences = work.tx.audiences()?.into_iter().filter(|audience| audience.statement == row.id);
    words.extend(audiences.map(|audience| Some(audience.name)));
    let to_withdraw = object.as_ref().is_some_and(|object| {
        object.log == work.me.log && object.lane == Lane::Intelligence && object.state != ObjectState::Erased
    });
    let withdrawal = if to_withdraw {
        Some(withdraw::take_back(work, row.log, row.index, WithdrawalAction::Purge, reason)?.appended.index)
    } else {
        None
    };
    // The withdrawal has erased it already, unless the law held it; partners' and what is about sharing is erased here.
    purge::statement(work, row.id)?;
    work.tx.forget_excerpts(row.log, &row.entry_salt)?;
    forget(work, words)?;
    Ok(withdrawal)
}

/// Blanks the remembered answers in which one of some words stands.
fn forget(work: &Work<'_, '_>, words: impl IntoIterator<Item = Option<String>>) -> Result<(), StoreError> {
    for word in words.into_iter().flatten().filter(|word| word.len() >= limits::SPILL_WORD_BYTES) {
        work.tx.forget_answers(&word)?;
        // As it stands in JSON, if that is another spelling.
        let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
        if escaped != word && !word.starts_with('"') {
            work.tx.forget_answers(&escaped)?;
        }
    }
    Ok(())
}

/// A partner that had a spilled statement of ours.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its log.
    pub origin: Origin,
    /// Its name, if it is a partner now.
    pub name: Option<String>,
    /// What it answered to the withdrawal; `None` while it has not.
    pub receipt: Option<ReceiptRow>,
}

/// Whom to call, because nothing that this node can send reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The owner's log.
    pub origin: Origin,
    /// Its name, if it is a partner now.
    pub name: Option<String>,
}

/// A statement that a spill reached.
#[derive(Debug, Clone)]
pub struct Spilled {
    /// Its name.
    pub entry: EntryRef,
    /// Is its body gone from here?
    pub purged: bool,
    /// Our withdrawal of it.
    pub withdrawal: Option<EntryRef>,
    /// Ours, and about sharing: it is superseded, not withdrawn, so partners keep it until they purge it themselves.
    pub kept_by_partners: bool,
    /// To whom it was given here, newest first.
    pub given: Vec<LedgerRow>,
    /// The partners that had it, if it is ours.
    pub holders: Vec<Holder>,
    /// Its owner, if it is a partner's: nothing is relayed, somebody calls.
    pub call: Option<Call>,
}

/// What a spill reached and how far it has come; or, before it is ordered, what it would reach.
#[derive(Debug, Clone)]
pub struct Report {
    /// The order; `None` before it is given.
    pub order: Option<SpillRow>,
    /// Statement by statement.
    pub statements: Vec<Spilled>,
    /// Objects of intake, each with the login of who took it in, if that was a person.
    pub intake: Vec<(SpilledIntakeRow, Option<String>)>,
    /// What the law holds of it: only before it is ordered.
    pub held: Vec<String>,
}

/// What a spill would reach. It holds no content.
///
/// # Errors
/// Nothing has that name.
pub fn preview(db: &Db<'_>, me: &Me, on: &Subject) -> Result<Report, SpillError> {
    let found = reach(db, me, on)?;
    let held = held(db, &found)?;
    let mut statements = Vec::with_capacity(found.statements.len());
    for row in &found.statements {
        statements.push(spilled(db, me, row, None)?);
    }
    Ok(Report { order: None, statements, intake: with_logins(db, found.intake)?, held })
}

/// The report of a spill as it stands now: receipts come in while people wait for them.
///
/// # Errors
/// The database.
pub fn report(db: &Db<'_>, me: &Me, id: SpillId) -> Result<Option<Report>, StoreError> {
    let Some(order) = db.spill(id)? else { return Ok(None) };
    let mut statements = Vec::new();
    for one in db.spilled(id)? {
        if let Some(row) = db.statement(one.statement)? {
            statements.push(spilled(db, me, &row, one.withdrawal)?);
        }
    }
    let intake = with_logins(db, db.spilled_intake(id)?)?;
    Ok(Some(Report { order: Some(order), statements, intake, held: Vec::new() }))
}

fn spilled(db: &Db<'_>, me: &Me, row: &StatementRow, withdrawal: Option<model::Index>) -> Result<Spilled, StoreError> {
    let own = row.log == me.log;
    let workflow = envelope::decode(&row.envelope).is_ok_and(|envelope| envelope.lane == Lane::Workflow);
    let call = if own { None } else { Some(Call { origin: db.origin(row.log)?, name: name_of(db, row.log)? }) };
    let mut holders = Vec::new();
    if own && let Some(object) = db.object(row.id)? {
        let receipts = db.receipts_of(row.id)?;
        for origin in Vec::from(query::reached(db, object.statement)?) {
            let log = db.log_id(&origin)?;
            let receipt = receipts.iter().find(|receipt| Some(receipt.from) == log).copied();
            let name = log.map(|log| name_of(db, log)).transpose()?.flatten();
            holders.push(Holder { origin, name, receipt });
        }
    }
    Ok(Spilled {
        entry: subject::name(db, row)?,
        purged: row.sealed.is_none(),
        withdrawal: withdrawal.map(|index| EntryRef::of(&me.origin, index)),
        kept_by_partners: own && workflow && !holders.is_empty(),
        given: db.ledger(row.id, limits::PAGE_ROWS_MAX)?,
        holders,
        call,
    })
}

fn name_of(db: &Db<'_>, log: LogId) -> Result<Option<String>, StoreError> {
    Ok(db.partner(log)?.map(|partner| partner.name))
}

fn with_logins(
    db: &Db<'_>,
    rows: Vec<SpilledIntakeRow>,
) -> Result<Vec<(SpilledIntakeRow, Option<String>)>, StoreError> {
    let mut named = Vec::with_capacity(rows.len());
    for row in rows {
        let login = match row.person {
            Some(person) => db.person(person)?.map(|person| person.login),
            None => None,
        };
        named.push((row, login));
    }
    Ok(named)
}
