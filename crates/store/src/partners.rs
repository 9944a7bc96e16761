//! Partners: who they are, how they stand with us, how far we have read them and they have read us.

use model::{Origin, PartnerClass, Reach, Timestamp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, ReleaseSeq};

coded_enum!(
    /// How a partner stands with us.
    PartnerState {
        /// A roster names it; nobody has confirmed it.
        Proposed = (0, "proposed"),
        /// Both sides have proved to know the invitation; the six words are not compared yet.
        AwaitingConfirmation = (1, "awaiting-confirmation"),
        /// Confirmed by a person.
        Active = (2, "active"),
        /// Nothing new of it is taken until a person has looked.
        Held = (3, "held"),
        /// A person has ended it.
        Cut = (4, "cut"),
    }
);

/// One partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRow {
    /// Its log.
    pub log: LogId,
    /// The name of its log.
    pub origin: Origin,
    /// Its name for people.
    pub name: String,
    /// What it is to us.
    pub class: PartnerClass,
    /// How it is reached.
    pub reach: Reach,
    /// How it stands with us.
    pub state: PartnerState,
    /// Its identity as its root key signed it.
    pub identity: Vec<u8>,
    /// The version of that identity: only higher ones are taken.
    pub identity_version: u64,
    /// The keys that its TLS certificates may have, SHA-256 of each.
    pub pins: Vec<[u8; 32]>,
    /// The Ed25519 public key that signs its checkpoints.
    pub log_key: [u8; 32],
    /// `host:port` of its federation listener.
    pub address: String,
    /// The six words that both screens show.
    pub words: Option<String>,
    /// Since when we know it.
    pub since: Timestamp,
    /// Why it is held or cut.
    pub held_reason: Option<String>,
    /// Where we go on reading its workflow lane.
    pub workflow_cursor: Option<String>,
    /// Where we go on reading its intelligence lane.
    pub intelligence_cursor: Option<String>,
    /// When a page of it was last taken.
    pub heard: Option<Timestamp>,
}

/// How far a partner has read us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServedRow {
    /// In the workflow lane.
    pub workflow: ReleaseSeq,
    /// In the intelligence lane.
    pub intelligence: ReleaseSeq,
    /// When it last asked.
    pub at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT partner.log, origin, name, class, reach, state, identity, identity_version, log_key, address, \
             words, since, held_reason, workflow_cursor, intelligence_cursor, heard \
             FROM partner JOIN log ON log.id = partner.log ",
            $rest
        )
    };
}

fn partner_row(row: &Row<'_>) -> Result<PartnerRow, StoreError> {
    Ok(PartnerRow {
        log: row.get(0)?,
        origin: columns::parsed(row, 1, "origin")?,
        name: row.get(2)?,
        class: columns::parsed(row, 3, "partner class")?,
        reach: columns::parsed(row, 4, "reach")?,
        state: columns::coded(row, 5, "state of a partner", PartnerState::from_code)?,
        identity: row.get(6)?,
        identity_version: columns::count(row, 7)?,
        pins: Vec::new(),
        log_key: row.get(8)?,
        address: row.get(9)?,
        words: row.get(10)?,
        since: columns::time(row, 11)?,
        held_reason: row.get(12)?,
        workflow_cursor: row.get(13)?,
        intelligence_cursor: row.get(14)?,
        heard: columns::time_opt(row, 15)?,
    })
}

impl Db<'_> {
    /// The partner that owns a log.
    ///
    /// # Errors
    /// The database.
    pub fn partner(&self, log: LogId) -> Result<Option<PartnerRow>, StoreError> {
        let row = self.one(select!("WHERE partner.log = ?1"), [log], partner_row)?;
        row.map(|row| self.with_pins(row)).transpose()
    }

    /// Every partner with a node, in whatever state, in the order in which their logs became known.
    ///
    /// # Errors
    /// The database.
    pub fn partners(&self) -> Result<Vec<PartnerRow>, StoreError> {
        let rows = self.all(select!("WHERE reach = 'node' ORDER BY partner.log"), [], partner_row)?;
        rows.into_iter().map(|row| self.with_pins(row)).collect()
    }

    /// The same with those that have no node: whoever asks a partner's node for something asks [`Db::partners`] alone.
    ///
    /// # Errors
    /// The database.
    pub fn partners_of_any_reach(&self) -> Result<Vec<PartnerRow>, StoreError> {
        let rows = self.all(select!("ORDER BY partner.log"), [], partner_row)?;
        rows.into_iter().map(|row| self.with_pins(row)).collect()
    }

    /// The partner that may show a certificate of this key. Where several claim it, whoever was confirmed has it: a
    /// roster that names a foreign key must not lock its owner out.
    ///
    /// # Errors
    /// The database.
    pub fn partner_by_pin(&self, pin: &[u8; 32]) -> Result<Option<PartnerRow>, StoreError> {
        let row = self.one(
            select!(
                "WHERE partner.log IN (SELECT log FROM partner_pin WHERE pin = ?1)
                 ORDER BY CASE state WHEN 2 THEN 0 WHEN 3 THEN 1 WHEN 4 THEN 2 ELSE 3 END, partner.log LIMIT 1"
            ),
            [pin],
            partner_row,
        )?;
        row.map(|row| self.with_pins(row)).transpose()
    }

    fn with_pins(&self, mut row: PartnerRow) -> Result<PartnerRow, StoreError> {
        let sql = "SELECT pin FROM partner_pin WHERE log = ?1 ORDER BY place";
        row.pins = self.all(sql, [row.log], |pin| Ok(pin.get(0)?))?;
        Ok(row)
    }

    /// How far a partner has read us; `None` if it never asked.
    ///
    /// # Errors
    /// The database.
    pub fn served(&self, log: LogId) -> Result<Option<ServedRow>, StoreError> {
        self.one("SELECT workflow, intelligence, at FROM served WHERE log = ?1", [log], |row| {
            Ok(ServedRow {
                workflow: ReleaseSeq(columns::count(row, 0)?),
                intelligence: ReleaseSeq(columns::count(row, 1)?),
                at: columns::time(row, 2)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Keeps a partner as it is given, in place of what was known of the same log.
    ///
    /// # Errors
    /// The log is not there or has another origin, or the database.
    pub fn put_partner(&self, row: &PartnerRow) -> Result<(), StoreError> {
        if self.origin(row.log)? != row.origin {
            return Err(StoreError::corrupt(format!("log {} is not that of `{}`", row.log, row.origin)));
        }
        self.run(
            "INSERT OR REPLACE INTO partner (log, name, class, reach, state, identity, identity_version, log_key,
               address, words, since, held_reason, workflow_cursor, intelligence_cursor, heard)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                row.log,
                row.name,
                row.class.word(),
                row.reach.word(),
                row.state.code(),
                row.identity,
                columns::int(row.identity_version),
                row.log_key,
                row.address,
                row.words,
                row.since.micros(),
                row.held_reason,
                row.workflow_cursor,
                row.intelligence_cursor,
                row.heard.map(Timestamp::micros),
            ],
        )?;
        self.run("DELETE FROM partner_pin WHERE log = ?1", [row.log])?;
        for (place, pin) in (0_i64..).zip(&row.pins) {
            self.run(
                "INSERT INTO partner_pin (pin, log, place) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![pin, row.log, place],
            )?;
        }
        Ok(())
    }

    /// Changes how a partner stands with us, and says why.
    ///
    /// # Errors
    /// No such partner, or the database.
    pub fn partner_state(&self, log: LogId, state: PartnerState, reason: Option<&str>) -> Result<(), StoreError> {
        let changed = self.run(
            "UPDATE partner SET state = ?2, held_reason = ?3 WHERE log = ?1",
            params![log, state.code(), reason],
        )?;
        touched(changed, log)
    }

    /// Notes how far we have read a partner.
    ///
    /// # Errors
    /// No such partner, or the database.
    pub fn partner_progress(
        &self,
        log: LogId,
        workflow: &str,
        intelligence: &str,
        heard: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = self.run(
            "UPDATE partner SET workflow_cursor = ?2, intelligence_cursor = ?3, heard = ?4 WHERE log = ?1",
            params![log, workflow, intelligence, heard.micros()],
        )?;
        touched(changed, log)
    }

    /// Notes how far a partner has read us. It may go back: a partner that lost its data starts again.
    ///
    /// # Errors
    /// The database.
    pub fn partner_served(
        &self,
        log: LogId,
        workflow: ReleaseSeq,
        intelligence: ReleaseSeq,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO served (log, workflow, intelligence, at) VALUES (?1, ?2, ?3, ?4)",
            params![log, columns::int(workflow.0), columns::int(intelligence.0), at.micros()],
        )?;
        Ok(())
    }
}

fn touched(rows: usize, log: LogId) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::corrupt(format!("log {log} is not that of a partner"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin};

    fn partner(tx: &Tx<'_>, country: &str, state: PartnerState) -> Result<PartnerRow, StoreError> {
        let origin = origin(country);
        Ok(PartnerRow {
            log: tx.ensure_log(&origin)?,
            origin,
            name: format!("CERT-{country}"),
            class: PartnerClass::EuState,
            reach: Reach::Node,
            state,
            identity: b"identity".to_vec(),
            identity_version: u64::MAX,
            pins: vec![[9; 32], [7; 32]],
            log_key: [5; 32],
            address: "node.example:7443".to_owned(),
            words: Some("a b c d e f".to_owned()),
            since: at(0),
            held_reason: None,
            workflow_cursor: None,
            intelligence_cursor: None,
            heard: None,
        })
    }

    #[test]
    fn a_partner_is_kept_and_changed() {
        let world = World::new();
        world.write(|tx| {
            let mut row = partner(tx, "EE", PartnerState::AwaitingConfirmation)?;
            tx.put_partner(&row)?;
            assert_eq!(tx.partner(row.log)?, Some(row.clone()));
            tx.partner_state(row.log, PartnerState::Held, Some("two roots"))?;
            tx.partner_progress(row.log, "w", "i", at(5))?;
            row.state = PartnerState::Held;
            row.held_reason = Some("two roots".to_owned());
            row.workflow_cursor = Some("w".to_owned());
            row.intelligence_cursor = Some("i".to_owned());
            row.heard = Some(at(5));
            assert_eq!(tx.partners()?, [row.clone()]);
            row.pins = vec![[8; 32]];
            tx.put_partner(&row)?;
            assert_eq!(tx.partner_by_pin(&[9; 32])?, None, "the old key is no longer its own");
            assert_eq!(tx.partner_by_pin(&[8; 32])?, Some(row.clone()));
            row.origin = origin("DE");
            assert!(tx.put_partner(&row).is_err());
            assert!(tx.partner_state(LogId(99), PartnerState::Cut, None).is_err());
            Ok(())
        });
    }

    #[test]
    fn a_key_that_two_claim_is_of_whoever_was_confirmed() {
        let world = World::new();
        world.write(|tx| {
            let claims = partner(tx, "BE", PartnerState::Proposed)?;
            let owner = partner(tx, "EE", PartnerState::Active)?;
            tx.put_partner(&claims)?;
            tx.put_partner(&owner)?;
            assert_eq!(tx.partner_by_pin(&[7; 32])?, Some(owner));
            Ok(())
        });
    }

    #[test]
    fn a_partner_without_a_node_is_not_among_those_with_one() {
        let world = World::new();
        world.write(|tx| {
            let node = partner(tx, "EE", PartnerState::Active)?;
            let mail =
                PartnerRow { reach: Reach::MailPgp, pins: Vec::new(), ..partner(tx, "MD", PartnerState::Active)? };
            tx.put_partner(&node)?;
            tx.put_partner(&mail)?;
            assert_eq!(tx.partners()?, std::slice::from_ref(&node));
            assert_eq!(tx.partners_of_any_reach()?, [node.clone(), mail]);
            assert_eq!(tx.log_of_country("EE".parse().unwrap())?, [node.log]);
            assert_eq!(tx.log_of_country("MD".parse().unwrap())?, [], "no log of it is ever read");
            Ok(())
        });
    }

    #[test]
    fn how_far_they_have_read_us_is_kept() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("EE"))?;
            assert_eq!(tx.served(log)?, None);
            for (workflow, intelligence) in [(3, 40), (0, 2)] {
                tx.partner_served(log, ReleaseSeq(workflow), ReleaseSeq(intelligence), at(1))?;
                let served = tx.served(log)?.unwrap();
                assert_eq!((served.workflow.0, served.intelligence.0, served.at), (workflow, intelligence, at(1)));
            }
            Ok(())
        });
    }

    #[test]
    fn states_have_words() {
        for state in PartnerState::ALL {
            assert_eq!(PartnerState::of_word(state.word()), Some(*state));
            assert_eq!(PartnerState::from_code(state.code()), Some(*state));
        }
    }
}
