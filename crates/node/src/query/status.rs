//! The state of the node: partners with their lag, logs, intake, and what is incomplete.

use model::{Origin, Reach, Timestamp};
use store::{ChainRow, EvidenceRow, IntakeState, LetterFate, PartnerRow, StoreError};

use super::witnesses::WitnessesStatus;
use crate::feed;
use crate::heads::{self, Beyond};
use crate::pull::Lag;
use crate::ratchet::Doubt;
use crate::standing::Standing;
use crate::successor::{self, Pending};
use crate::work::View;
use crate::writer::Node;

/// One partner, as a person looks at it.
#[derive(Debug, Clone)]
pub struct PartnerStatus {
    /// Its row.
    pub partner: PartnerRow,
    /// The successor log that it has announced, which waits for a telephone call.
    pub successor: Option<Pending>,
    /// Entries of its log that are verified here.
    pub size: u64,
    /// Entries that it showed to others, as far as they told us.
    pub heard: u64,
    /// Statements of it that were opened to us.
    pub objects: u64,
    /// How we stand with it; `None` before the first poll of this run.
    pub lag: Option<Lag>,
    /// How many of our releases it has not fetched, at most 10,001.
    pub behind_us: u64,
    /// When it last fetched from us.
    pub fetched: Option<Timestamp>,
    /// Chains of its audiences in which something is missing that we are entitled to.
    pub incomplete: Vec<ChainRow>,
    /// Chains of its audiences of which others say that they were shown more.
    pub beyond: Vec<Beyond>,
}

/// The whole state.
#[derive(Debug, Clone)]
pub struct Status {
    /// Who we are.
    pub origin: Origin,
    /// Our name.
    pub name: String,
    /// The time of the answer.
    pub now: Timestamp,
    /// What is to be looked at in the machine's clock.
    pub clock: Option<Doubt>,
    /// Entries of our log that are signed.
    pub size: u64,
    /// The checkpoint that covers them, as a note.
    pub checkpoint: String,
    /// How far our log is witnessed, and by whom.
    pub witnesses: WitnessesStatus,
    /// Does our log speak?
    pub standing: Standing,
    /// How far our log has a time stamp of an authority, and the time that it says.
    pub stamped: Option<(u64, Timestamp)>,
    /// Objects of ours.
    pub objects: u64,
    /// What is in intake, by state.
    pub intake: Vec<(IntakeState, u64)>,
    /// Partner by partner, by origin.
    pub partners: Vec<PartnerStatus>,
    /// The newest evidence against partners.
    pub evidence: Vec<(Origin, EvidenceRow)>,
}

/// Reads the state of the node.
///
/// # Errors
/// The database.
pub async fn status(node: &Node) -> Result<Status, StoreError> {
    let mut status = node.read(read).await?;
    status.clock = node.ratchet().doubt();
    for partner in &mut status.partners {
        partner.lag = match node.lags().of(partner.partner.log) {
            // It says that this is all, and others were shown more.
            Some(Lag::InStep { heard }) if partner.heard > partner.size => {
                Some(Lag::Behind { entries: partner.heard - partner.size, heard })
            }
            lag => lag,
        };
    }
    Ok(status)
}

fn read(view: &View<'_, '_>) -> Result<Status, StoreError> {
    let counts = view.db.object_counts()?;
    let count = |log| counts.iter().find(|(of, _)| *of == log).map_or(0, |(_, count)| *count);
    let mut rows = view.db.partners_of_any_reach()?;
    rows.sort_by(|a, b| a.origin.cmp(&b.origin));
    let mut partners = Vec::with_capacity(rows.len());
    for partner in rows {
        let log = partner.log;
        let incomplete = view.db.chains(log)?.into_iter().filter(ChainRow::is_incomplete).collect();
        partners.push(PartnerStatus {
            successor: successor::pending(view.db, &partner)?,
            size: view.db.tree(log)?.size,
            heard: view.db.heard(log)?.map_or(0, |row| row.size),
            objects: count(log),
            lag: None,
            behind_us: behind_us(view, &partner)?,
            fetched: view.db.served(log)?.map(|served| served.at),
            incomplete,
            beyond: heads::beyond(view, log)?,
            partner,
        });
    }
    let mut evidence = Vec::new();
    for row in view.db.evidence(None, EVIDENCE_ROWS)? {
        evidence.push((view.db.origin(row.log)?, row));
    }
    Ok(Status {
        origin: view.me.origin.clone(),
        name: view.me.name.clone(),
        now: view.now,
        clock: None,
        size: view.signed.size,
        checkpoint: view.signed.text.clone(),
        witnesses: super::witnesses::read(view)?,
        standing: view.signed.standing.clone(),
        stamped: view.db.stamped()?.map(|row| (row.size, row.at)),
        objects: count(view.me.log),
        intake: view.db.intake_counts()?,
        partners,
        evidence,
    })
}

/// What of ours a partner has not got yet: releases that its node has not fetched, or letters that have not gone out.
fn behind_us(view: &View<'_, '_>, partner: &PartnerRow) -> Result<u64, StoreError> {
    if partner.reach == Reach::Node {
        return feed::behind(view, partner.log);
    }
    let letters = view.db.letters(&partner.origin, crate::limits::PAGE_ROWS)?;
    let open = |row: &&store::LetterRow| matches!(row.fate, LetterFate::Waiting | LetterFate::Sending);
    Ok(letters.iter().filter(open).count() as u64)
}

/// Evidence on the status screen: the newest, the rest is a page of its own.
const EVIDENCE_ROWS: usize = 20;
