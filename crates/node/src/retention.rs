//! Retention: rules by kind of data, a plan of what is due at a time, and its application. Nothing is purged until
//! somebody has set a rule, has seen the plan, and says its digest and the day.

use model::{StixId, Timestamp, Tlp};
use sha2::{Digest, Sha256};
use store::{Db, IntakeId, IntakeState, ObjectRow, ObjectState, Record, RuleRow, RunId, StatementId, StoreError};

use crate::actor::Actor;
use crate::limits;
use crate::me::Me;
use crate::purge;
use crate::subject;
use crate::witness;
use crate::work::Work;

const DAY: i64 = 24 * 3600;

/// Why retention was refused.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such kind of data.
    #[error(
        "`{0}` is no rule: write intake/new, intake/asserted, intake/conflict, intake/dismissed, partner, \
         partner/LABEL, partner/LABEL/TYPE or partner/*/TYPE, partner-withdrawn, own-withdrawn, sessions, \
         idempotency, ledger or evidence"
    )]
    Rule(String),
    /// A number of days out of range.
    #[error("data is kept for 1 to 36,525 days, or for ever without a rule")]
    Days,
    /// The plan is not that one any more.
    #[error("the plan of that time has another digest now: plan again, look at it, and apply that one")]
    Changed,
    /// The plan is too old, or of a time to come.
    #[error("the plan was not made within the last 24 hours of this node's clock: plan again")]
    Stale,
    /// The person's day is not the clock's.
    #[error("this node's clock says {clock}, and you say `{said}`: set the clock right before anything is purged")]
    Day {
        /// The day by the node's clock.
        clock: String,
        /// The day as it was said.
        said: String,
    },
    /// The clock disagrees with what has come in.
    #[error(
        "this node's clock ({now}) is more than 30 days from the last thing {what} ({last}), or before it: nothing is \
         purged by a clock that may have jumped. Set it right, or let a partner be heard first"
    )]
    Clock {
        /// The time of the node's clock.
        now: Timestamp,
        /// Which thing.
        what: &'static str,
        /// When that was.
        last: Timestamp,
    },
}

/// For which data a rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Objects of intake in a state, by when they were taken in.
    Intake(IntakeState),
    /// What partners say of the world and have not taken back, by arrival; of one label, of one STIX type, or both. Of
    /// several rules that fit a statement, the one with the type wins over that without, then the one with the label.
    Partner {
        /// Of this label alone.
        tlp: Option<Tlp>,
        /// Of this STIX type alone.
        kind: Option<String>,
    },
    /// Sealed bodies of what partners have withdrawn, by when the withdrawal arrived.
    PartnerWithdrawn,
    /// Sealed bodies of what we have withdrawn, by when.
    OwnWithdrawn,
    /// Local records.
    Record(Record),
}

impl std::str::FromStr for Rule {
    type Err = RetentionError;
    fn from_str(text: &str) -> Result<Self, RetentionError> {
        let wrong = || RetentionError::Rule(text.chars().take(60).collect());
        let mut parts = text.split('/');
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let rule = match (first, second, third) {
            ("intake", Some(state), None) => Self::Intake(IntakeState::of_word(state).ok_or_else(wrong)?),
            ("partner", label, kind) => {
                let label = label.filter(|label| *label != "*").map(str::parse::<Tlp>).transpose();
                Self::Partner { tlp: label.map_err(|_| wrong())?, kind: kind.map(str::to_owned) }
            }
            ("partner-withdrawn", None, None) => Self::PartnerWithdrawn,
            ("own-withdrawn", None, None) => Self::OwnWithdrawn,
            ("sessions", None, None) => Self::Record(Record::Session),
            ("idempotency", None, None) => Self::Record(Record::Answer),
            ("ledger", None, None) => Self::Record(Record::Ledger),
            ("evidence", None, None) => Self::Record(Record::Evidence),
            _ => return Err(wrong()),
        };
        // One spelling each, and the type must be one that an id can have.
        let is_type = |kind: &String| StixId::from_random(kind, [0; 16]).is_ok();
        let named = if let Self::Partner { kind: Some(kind), .. } = &rule { is_type(kind) } else { true };
        if named && parts.next().is_none() && rule.to_string() == text { Ok(rule) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Intake(state) => write!(f, "intake/{}", state.word()),
            Self::Partner { tlp, kind } => {
                f.write_str("partner")?;
                match (tlp, kind) {
                    (None, None) => Ok(()),
                    (Some(tlp), None) => write!(f, "/{}", tlp.word().to_ascii_lowercase()),
                    (None, Some(kind)) => write!(f, "/*/{kind}"),
                    (Some(tlp), Some(kind)) => write!(f, "/{}/{kind}", tlp.word().to_ascii_lowercase()),
                }
            }
            Self::PartnerWithdrawn => f.write_str("partner-withdrawn"),
            Self::OwnWithdrawn => f.write_str("own-withdrawn"),
            Self::Record(record) => f.write_str(match record {
                Record::Session => "sessions",
                Record::Answer => "idempotency",
                Record::Ledger => "ledger",
                Record::Evidence => "evidence",
            }),
        }
    }
}

impl Rule {
    fn fits(&self, object: &ObjectRow) -> bool {
        match self {
            Self::Partner { tlp, kind } => {
                tlp.is_none_or(|tlp| tlp == object.tlp)
                    && kind.as_ref().is_none_or(|kind| kind == object.stix_id.type_name())
            }
            Self::Intake(_) | Self::PartnerWithdrawn | Self::OwnWithdrawn | Self::Record(_) => false,
        }
    }

    /// How closely a rule describes what it is for.
    fn closeness(&self) -> (bool, bool) {
        match self {
            Self::Partner { tlp, kind } => (kind.is_some(), tlp.is_some()),
            Self::Intake(_) | Self::PartnerWithdrawn | Self::OwnWithdrawn | Self::Record(_) => (false, false),
        }
    }
}

/// Sets how long data is kept; `None` for ever, as it is until somebody decides.
///
/// # Errors
/// No such rule, or days out of range.
pub fn set(work: &mut Work<'_, '_>, rule: &str, days: Option<u32>) -> Result<Rule, RetentionError> {
    let rule: Rule = rule.parse()?;
    if days.is_some_and(|days| !(1..=limits::RETENTION_DAYS).contains(&days)) {
        return Err(RetentionError::Days);
    }
    work.tx.set_retention(&rule.to_string(), days)?;
    Ok(rule)
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The body of a statement.
    Statement(StatementId),
    /// An object of intake.
    Intake(IntakeId),
    /// A local record, by its key.
    Record(Record, String),
}

/// One thing that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// By which rule.
    pub rule: String,
    /// How people name it.
    pub name: String,
    /// Since when its time runs.
    pub since: Timestamp,
    /// What it is.
    pub due: Due,
}

/// What one rule makes due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The rule.
    pub rule: String,
    /// For how many days it keeps.
    pub days: u32,
    /// How many items of the plan are due by it.
    pub due: usize,
    /// Since when the time of the oldest runs.
    pub oldest: Option<Timestamp>,
}

/// Exactly what would be purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The time for which it was made.
    pub at: Timestamp,
    /// Rule by rule.
    pub rules: Vec<Summary>,
    /// Item by item.
    pub items: Vec<Item>,
    /// Is more due than one plan has?
    pub more: bool,
    /// SHA-256 over all of it: whoever applies the plan says it.
    pub digest: [u8; 32],
}

/// What is due at a time. It changes nothing, and what the law holds is left out.
///
/// # Errors
/// The database, or a rule in it that this version does not read.
pub fn plan(db: &Db<'_>, me: &Me, at: Timestamp) -> Result<Plan, RetentionError> {
    let rows = db.retention()?;
    let rules = rows.iter().map(|row| row.rule.parse()).collect::<Result<Vec<Rule>, _>>()?;
    let mut planning = Planning { db, me, at, rules: &rules, items: Vec::new() };
    let mut summaries = Vec::with_capacity(rows.len());
    for (row, rule) in rows.iter().zip(&rules) {
        let first = planning.items.len();
        planning.add(row, rule)?;
        let of_rule = planning.items.get(first..).unwrap_or_default();
        let oldest = of_rule.iter().map(|item| item.since).min();
        summaries.push(Summary { rule: row.rule.clone(), days: row.days, due: of_rule.len(), oldest });
    }
    let mut items = planning.items;
    let more = items.len() > limits::PLAN_ITEMS;
    items.truncate(limits::PLAN_ITEMS);
    let digest = digest(at, &items);
    Ok(Plan { at, rules: summaries, items, more, digest })
}

fn digest(at: Timestamp, items: &[Item]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"entraide/retention/v1");
    hash.update(at.micros().to_be_bytes());
    for item in items {
        for text in [&item.rule, &item.name] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(item.since.micros().to_be_bytes());
    }
    hash.finalize().into()
}

struct Planning<'a, 'c> {
    db: &'a Db<'c>,
    me: &'a Me,
    at: Timestamp,
    rules: &'a [Rule],
    items: Vec<Item>,
}

impl Planning<'_, '_> {
    fn add(&mut self, row: &RuleRow, rule: &Rule) -> Result<(), StoreError> {
        let before = self.at.plus_seconds(-i64::from(row.days) * DAY);
        match rule {
            Rule::Intake(state) => self.intake(&row.rule, *state, before),
            Rule::Partner { .. } => self.statements(rule, false, ObjectState::Live, before),
            Rule::PartnerWithdrawn => self.statements(rule, false, ObjectState::Withdrawn, before),
            Rule::OwnWithdrawn => self.statements(rule, true, ObjectState::Withdrawn, before),
            Rule::Record(record) => {
                for (key, since) in self.db.records_before(*record, before, self.room())? {
                    let due = Due::Record(*record, key.clone());
                    self.items.push(Item { rule: row.rule.clone(), name: key, since, due });
                }
                Ok(())
            }
        }
    }

    /// One more than fits, so that it shows that there is more.
    fn room(&self) -> usize {
        (limits::PLAN_ITEMS + 1).saturating_sub(self.items.len())
    }

    fn intake(&mut self, rule: &str, state: IntakeState, before: Timestamp) -> Result<(), StoreError> {
        let mut after = (Timestamp::from_micros(i64::MIN), IntakeId(0));
        while self.room() > 0 {
            let rows = self.db.intake_before(state, before, after, limits::PLAN_ITEMS)?;
            let Some(last) = rows.last() else { break };
            after = (last.1, last.0);
            for (id, since) in rows {
                let object = self.db.intake(id)?.map(|row| row.stix_id);
                let held = match object {
                    Some(object) => self.db.hold_on_intake(id, &object)?.is_some(),
                    None => true,
                };
                if !held && self.room() > 0 {
                    let name = format!("intake:{id}");
                    self.items.push(Item { rule: rule.to_owned(), name, since, due: Due::Intake(id) });
                }
            }
        }
        Ok(())
    }

    fn statements(
        &mut self,
        rule: &Rule,
        of_own: bool,
        state: ObjectState,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let mut after = (Timestamp::from_micros(i64::MIN), StatementId(0));
        while self.room() > 0 {
            let rows = self.db.statements_before(self.me.log, of_own, state, before, after, limits::PLAN_ITEMS)?;
            let Some(last) = rows.last() else { break };
            after = (last.1, last.0);
            for (id, since) in rows {
                if self.room() > 0 && self.is_due(rule, id, state)? {
                    let name = match self.db.statement(id)? {
                        Some(row) => subject::name(self.db, &row)?.to_string(),
                        None => continue,
                    };
                    self.items.push(Item { rule: rule.to_string(), name, since, due: Due::Statement(id) });
                }
            }
        }
        Ok(())
    }

    /// Is it this rule that decides, and does the law not hold it?
    fn is_due(&self, rule: &Rule, id: StatementId, state: ObjectState) -> Result<bool, StoreError> {
        if self.db.hold_on_statement(id)?.is_some() {
            return Ok(false);
        }
        if state != ObjectState::Live {
            return Ok(true);
        }
        let Some(object) = self.db.object(id)? else { return Ok(false) };
        let closest = self.rules.iter().filter(|rule| rule.fits(&object)).max_by_key(|rule| rule.closeness());
        Ok(closest == Some(rule))
    }
}

/// What is said by whoever applies a plan.
#[derive(Debug, Clone)]
pub struct Apply {
    /// The time for which the plan was made.
    pub at: Timestamp,
    /// Its digest.
    pub digest: [u8; 32],
    /// The day as the person reads it elsewhere than from this node: `2026-11-25`.
    pub today: String,
}

/// Begins to apply a plan: it is made again for its time, and must be the one that was seen.
///
/// # Errors
/// It is another one or too old, or the clock may have jumped.
pub fn begin(work: &mut Work<'_, '_>, apply: &Apply, by: &Actor) -> Result<(RunId, Vec<Item>), RetentionError> {
    check_clock(work, apply)?;
    let plan = plan(work.tx, work.me, apply.at)?;
    if plan.digest != apply.digest {
        return Err(RetentionError::Changed);
    }
    let run = work.tx.begin_run(work.now, &by.login, apply.at, &plan.digest, plan.items.len())?;
    Ok((run, plan.items))
}

fn check_clock(work: &Work<'_, '_>, apply: &Apply) -> Result<(), RetentionError> {
    let now = work.now;
    if apply.at > now || apply.at < now.plus_seconds(-limits::PLAN_SECONDS) {
        return Err(RetentionError::Stale);
    }
    let noon: Option<Timestamp> = format!("{}T12:00:00Z", apply.today).parse().ok();
    // It is another day elsewhere on the earth; a clock that jumped is further off.
    let is_near = |noon: Timestamp| noon.plus_seconds(-36 * 3600) <= now && now <= noon.plus_seconds(36 * 3600);
    if !noon.is_some_and(is_near) {
        let clock = now.to_string().chars().take(10).collect();
        return Err(RetentionError::Day { clock, said: apply.today.chars().take(40).collect() });
    }
    let far = |what, last: Timestamp| {
        let good = last <= now.plus_seconds(limits::PLAN_SECONDS) && now <= last.plus_seconds(limits::SILENCE_SECONDS);
        if good { Ok(()) } else { Err(RetentionError::Clock { now, what, last }) }
    };
    if let Some(last) = work.tx.newest_moment()? {
        far("that came in", last)?;
    }
    match newest_cosignature(work)? {
        Some(last) => far("that a witness cosigned, by its clock", last),
        None => Ok(()),
    }
}

/// The newest time by a clock that is not ours: what witnesses wrote beside their signatures.
fn newest_cosignature(work: &Work<'_, '_>) -> Result<Option<Timestamp>, StoreError> {
    let mut newest = None;
    for (log, _) in work.tx.logs()? {
        if let Some(row) = work.tx.witnessed(log)? {
            let others = witness::cosigners_of(work.tx, work.me, &row)?;
            let times = others.into_iter().filter(|(origin, _)| *origin != work.me.origin).map(|(_, at)| at);
            newest = newest.max(times.max());
        }
    }
    Ok(newest)
}

/// Purges some items of a plan, in one transaction; after the `last` of them the file is written anew. What was held or
/// went otherwise meanwhile is passed over. Says how many were purged.
///
/// # Errors
/// The database.
pub fn purge(work: &mut Work<'_, '_>, run: RunId, items: &[Item], last: bool) -> Result<usize, StoreError> {
    let mut purged = 0;
    for item in items {
        let gone = match &item.due {
            Due::Statement(id) => work.tx.hold_on_statement(*id)?.is_none() && purge::statement(work, *id)?,
            Due::Intake(id) => {
                let free = match work.tx.intake(*id)? {
                    Some(row) => work.tx.hold_on_intake(*id, &row.stix_id)?.is_none(),
                    None => false,
                };
                free && purge::intake(work, *id)?
            }
            Due::Record(record, key) => work.tx.erase_record(*record, key)?,
        };
        purged += usize::from(gone);
    }
    work.tx.count_run(run, purged)?;
    work.note_spill(last)?;
    Ok(purged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_one_spelling() {
        let check = |text: &str, good: bool| {
            let read = text.parse::<Rule>();
            assert_eq!(read.as_ref().ok().map(ToString::to_string).as_deref(), good.then_some(text), "{text}");
        };
        for good in ["intake/new", "intake/dismissed", "partner", "partner/amber", "partner/amber+strict/malware"] {
            check(good, true);
        }
        for good in ["partner/*/indicator", "partner-withdrawn", "own-withdrawn", "sessions", "evidence", "ledger"] {
            check(good, true);
        }
        for bad in ["", "intake", "intake/x", "partner/*", "partner/pink", "partner/amber/", "partner/amber/x/y"] {
            check(bad, false);
        }
        for bad in ["partner/AMBER", "own", "sessions/x", "partner/amber/In Dicator"] {
            check(bad, false);
        }
    }

    #[test]
    fn the_closest_rule_decides() {
        let rule = |text: &str| text.parse::<Rule>().unwrap();
        let order = ["partner", "partner/amber", "partner/*/indicator", "partner/amber/indicator"];
        for pair in order.windows(2) {
            assert!(rule(pair[0]).closeness() < rule(pair[1]).closeness(), "{pair:?}");
        }
    }

    #[test]
    fn no_other_plan_has_its_digest() {
        let item = |name: &str, since: i64| Item {
            rule: "intake/new".to_owned(),
            name: name.to_owned(),
            since: Timestamp::from_micros(since),
            due: Due::Intake(IntakeId(1)),
        };
        let at = Timestamp::from_micros(9);
        let plan = digest(at, &[item("intake:1", 1)]);
        assert_ne!(plan, digest(at, &[]));
        assert_ne!(plan, digest(at, &[item("intake:2", 1)]));
        assert_ne!(plan, digest(at, &[item("intake:1", 2)]));
        assert_ne!(plan, digest(Timestamp::from_micros(8), &[item("intake:1", 1)]));
    }
}
