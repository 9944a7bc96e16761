//! Acts that commit the nation: what waits for a second person, what one signed alone, and standing authorities. Local
//! truth.

use domain::commit::{State, Used};
use model::Timestamp;
use model::commit::Act;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{ActId, AuthorityId, PersonId};

/// A person as acts name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatory {
    /// The account.
    pub person: PersonId,
    /// The name for people, as it was then.
    pub name: String,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Its number; 0 before it is kept.
    pub id: ActId,
    /// What kind of act.
    pub act: Act,
    /// What it is about: `FR:12`; none for a new call for help.
    pub entry: Option<String>,
    /// What would be said, as the API took it; erased once it is decided.
    pub body: Option<Vec<u8>>,
    /// Where it stands, as persons decided; time alone says *expired*.
    pub state: State,
    /// Who began it.
    pub by: Signatory,
    /// When.
    pub at: Timestamp,
    /// Until when another may decide.
    pub expires: Timestamp,
    /// Who decided.
    pub other: Option<Signatory>,
    /// When.
    pub decided: Option<Timestamp>,
    /// Why it was declined or not ratified.
    pub reason: Option<String>,
    /// When one person signed it alone.
    pub alone: Option<Timestamp>,
    /// Why.
    pub emergency: Option<String>,
    /// Where it was said.
    pub said: Option<String>,
    /// When the paper for it was there.
    pub paper: Option<Timestamp>,
    /// The authority within which it was done.
    pub authority: Option<AuthorityId>,
    /// People or pieces.
    pub quantity: u32,
    /// Cents.
    pub cost_cents: u64,
}

/// One standing authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRow {
    /// Which.
    pub id: AuthorityId,
    /// Its number for people: `SA-2026-001`.
    pub number: String,
    /// Who may act alone.
    pub to: Signatory,
    /// Who says so.
    pub by: Signatory,
    /// Since when.
    pub at: Timestamp,
    /// Within what, as JSON.
    pub bounds: String,
    /// Why.
    pub reason: String,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, String)>,
}

const ACT: &str =
    "SELECT id, kind, entry, body, state, person, name, at, expires, other, other_name, decided, reason, alone,
    emergency, said, paper, authority, quantity, cost_cents FROM act";

fn act_row(row: &Row<'_>) -> Result<ActRow, StoreError> {
    let state: String = row.get(4)?;
    let state = State::ALL.into_iter().find(|known| known.word() == state);
    let quantity: i64 = row.get(18)?;
    let other: Option<PersonId> = row.get(9)?;
    let other_name: Option<String> = row.get(10)?;
    Ok(ActRow {
        id: row.get(0)?,
        act: columns::parsed(row, 1, "kind of act")?,
        entry: row.get(2)?,
        body: row.get(3)?,
        state: state.ok_or_else(|| StoreError::corrupt("an act is in no state that there is"))?,
        by: Signatory { person: row.get(5)?, name: row.get(6)? },
        at: columns::time(row, 7)?,
        expires: columns::time(row, 8)?,
        other: other.zip(other_name).map(|(person, name)| Signatory { person, name }),
        decided: columns::time_opt(row, 11)?,
        reason: row.get(12)?,
        alone: columns::time_opt(row, 13)?,
        emergency: row.get(14)?,
        said: row.get(15)?,
        paper: columns::time_opt(row, 16)?,
        authority: row.get(17)?,
        quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
        cost_cents: columns::count(row, 19)?,
    })
}

const AUTHORITY: &str =
    "SELECT id, number, person, name, by_person, by_name, at, bounds, reason, revoked, revoked_by FROM authority";

fn authority_row(row: &Row<'_>) -> Result<AuthorityRow, StoreError> {
    let by: Option<String> = row.get(10)?;
    Ok(AuthorityRow {
        id: row.get(0)?,
        number: row.get(1)?,
        to: Signatory { person: row.get(2)?, name: row.get(3)? },
        by: Signatory { person: row.get(4)?, name: row.get(5)? },
        at: columns::time(row, 6)?,
        bounds: row.get(7)?,
        reason: row.get(8)?,
        revoked: columns::time_opt(row, 9)?.zip(by),
    })
}

impl Db<'_> {
    /// Acts, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn acts(&self, before: Option<ActId>, limit: usize) -> Result<Vec<ActRow>, StoreError> {
        let before = before.map_or(i64::MAX, |before| before.0);
        self.all(
            &format!("{ACT} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"),
            params![before, columns::limit(limit)],
            act_row,
        )
    }

    /// Acts about which somebody still has to decide, the oldest first; some of them may have expired.
    ///
    /// # Errors
    /// The database.
    pub fn open_acts(&self) -> Result<Vec<ActRow>, StoreError> {
        self.all(&format!("{ACT} WHERE state IN ('awaiting', 'signed-alone') ORDER BY id"), [], act_row)
    }

    /// One act.
    ///
    /// # Errors
    /// The database.
    pub fn act(&self, id: ActId) -> Result<Option<ActRow>, StoreError> {
        self.one(&format!("{ACT} WHERE id = ?1"), [id], act_row)
    }

    /// Every standing authority, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn authorities(&self) -> Result<Vec<AuthorityRow>, StoreError> {
        self.all(&format!("{AUTHORITY} ORDER BY id DESC"), [], authority_row)
    }

    /// What was done under an authority so far.
    ///
    /// # Errors
    /// The database.
    pub fn used(&self, id: AuthorityId) -> Result<Used, StoreError> {
        let sql = "SELECT coalesce(sum(quantity), 0), coalesce(sum(cost_cents), 0) FROM act WHERE authority = ?1";
        let used = self.one(sql, [id], |row| {
            let quantity = u32::try_from(columns::count(row, 0)?).unwrap_or(u32::MAX);
            Ok(Used { quantity, cost_cents: columns::count(row, 1)? })
        })?;
        Ok(used.unwrap_or_default())
    }
}

impl Tx<'_> {
    /// Keeps an act anew, and gives it its number.
    ///
    /// # Errors
    /// The database.
    pub fn add_act(&self, row: &ActRow) -> Result<ActId, StoreError> {
        let id = self.one(
            "INSERT INTO act (kind, entry, state, person, name, at, expires, quantity, cost_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0) RETURNING id",
            params![
                row.act.word(),
                row.entry,
                row.state.word(),
                row.by.person,
                row.by.name,
                row.at.micros(),
                row.expires.micros(),
            ],
            |row| Ok(row.get(0)?),
        )?;
        let id: ActId = id.ok_or_else(|| StoreError::corrupt("an act that was kept has no number"))?;
        self.put_act(&ActRow { id, ..row.clone() })?;
        Ok(id)
    }

    /// Keeps what became of an act.
    ///
    /// # Errors
    /// The database.
    pub fn put_act(&self, row: &ActRow) -> Result<(), StoreError> {
        self.run(
            "UPDATE act SET body = ?2, state = ?3, other = ?4, other_name = ?5, decided = ?6, reason = ?7, alone = ?8,
               emergency = ?9, said = ?10, paper = ?11, authority = ?12, quantity = ?13, cost_cents = ?14 WHERE id = ?1",
            params![
                row.id,
                row.body,
                row.state.word(),
                row.other.as_ref().map(|other| other.person),
                row.other.as_ref().map(|other| other.name.as_str()),
                row.decided.map(Timestamp::micros),
                row.reason,
                row.alone.map(Timestamp::micros),
                row.emergency,
                row.said,
                row.paper.map(Timestamp::micros),
                row.authority,
                row.quantity,
                columns::int(row.cost_cents),
            ],
        )?;
        Ok(())
    }

    /// Erases what expired acts would have said, and forgets what was decided before a moment. What was done under an
    /// authority is kept: it counts against its bounds.
    ///
    /// # Errors
    /// The database.
    pub fn forget_acts(&self, now: Timestamp, before: Timestamp) -> Result<(), StoreError> {
        self.run(
            "UPDATE act SET body = NULL WHERE state = 'awaiting' AND expires <= ?1 AND body IS NOT NULL",
            [now.micros()],
        )?;
        self.run("DELETE FROM act WHERE at < ?1 AND authority IS NULL AND state != 'signed-alone'", [before.micros()])?;
        Ok(())
    }

    /// Keeps an authority anew.
    ///
    /// # Errors
    /// The database.
    pub fn add_authority(&self, row: &AuthorityRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO authority (number, person, name, by_person, by_name, at, bounds, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.number,
                row.to.person,
                row.to.name,
                row.by.person,
                row.by.name,
                row.at.micros(),
                row.bounds,
                row.reason,
            ],
        )?;
        Ok(())
    }

    /// Revokes an authority; says whether there was one that was not revoked.
    ///
    /// # Errors
    /// The database.
    pub fn revoke_authority(&self, number: &str, at: Timestamp, by: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE authority SET revoked = ?2, revoked_by = ?3 WHERE number = ?1 AND revoked IS NULL";
        Ok(self.run(sql, params![number, at.micros(), by])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    fn act(state: State) -> ActRow {
        ActRow {
            id: ActId(0),
            act: Act::Offer,
            entry: Some("FR:12".into()),
            body: Some(b"{}".to_vec()),
            state,
            by: Signatory { person: PersonId(1), name: "Anna".into() },
            at: at(0),
            expires: at(10),
            other: None,
            decided: None,
            reason: None,
            alone: None,
            emergency: None,
            said: None,
            paper: None,
            authority: None,
            quantity: 3,
            cost_cents: 7,
        }
    }

    #[test]
    fn acts_are_kept_decided_counted_and_forgotten() {
        let world = World::new();
        world.write(|tx| {
            let first = tx.add_act(&act(State::Awaiting))?;
            let kept = ActRow { id: first, ..act(State::Awaiting) };
            assert_eq!(tx.act(first)?, Some(kept.clone()));
            assert_eq!(tx.open_acts()?, std::slice::from_ref(&kept));
            tx.forget_acts(at(9), at(0))?;
            assert_eq!(tx.act(first)?, Some(kept.clone()));
            tx.forget_acts(at(10), at(0))?;
            assert_eq!(tx.act(first)?.unwrap().body, None, "an expired act says nothing any more");
            let other = Some(Signatory { person: PersonId(2), name: "Bo".into() });
            let decided = ActRow { state: State::Declined, other, decided: Some(at(4)), body: None, ..kept };
            tx.put_act(&decided)?;
            assert_eq!((tx.act(first)?, tx.open_acts()?), (Some(decided), vec![]));
            let under = ActRow { authority: Some(AuthorityId(1)), ..act(State::WithinAuthority) };
            let second = tx.add_act(&under)?;
            tx.add_act(&under)?;
            assert_eq!(tx.used(AuthorityId(1))?, Used { quantity: 6, cost_cents: 14 });
            assert_eq!(tx.used(AuthorityId(2))?, Used::default());
            let alone = tx.add_act(&act(State::Alone))?;
            tx.forget_acts(at(11), at(1))?;
            assert_eq!(tx.act(first)?, None);
            assert!(tx.act(second)?.is_some() && tx.act(alone)?.is_some());
            assert_eq!(tx.acts(Some(alone), 1)?.len(), 1);
            Ok(())
        });
    }

    #[test]
    fn an_authority_is_revoked_once() {
        let world = World::new();
        world.write(|tx| {
            let person = |number, name: &str| Signatory { person: PersonId(number), name: name.into() };
            let row = AuthorityRow {
                id: AuthorityId(1),
                number: "SA-2026-001".into(),
                to: person(1, "Anna"),
                by: person(2, "Bo"),
                at: at(0),
                bounds: "{}".into(),
                reason: "nights".into(),
                revoked: None,
            };
            tx.add_authority(&row)?;
            assert_eq!(tx.authorities()?, std::slice::from_ref(&row));
            assert!(tx.revoke_authority("SA-2026-001", at(5), "Cy")?);
            assert!(!tx.revoke_authority("SA-2026-001", at(6), "Di")? && !tx.revoke_authority("none", at(6), "Di")?);
            assert_eq!(tx.authorities()?, [AuthorityRow { revoked: Some((at(5), "Cy".into())), ..row }]);
            Ok(())
        });
    }
}
