//! Objects: the view of what is said about each STIX id, statement by statement, ours and theirs side by side.

use std::sync::Arc;

use model::bytes::{hex, unhex};
use model::{AudienceId, Commitment, Index, Lane, MediaType, Pap, StixId, StixVersion, ThreadId, Tlp, Walled};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, SetId, StatementId};

coded_enum!(
    /// Where a statement about an object stands.
    ObjectState {
        /// Said and in force.
        Live = (0, "live"),
        /// Taken back by its owner.
        Withdrawn = (1, "withdrawn"),
        /// Taken back, and its body erased.
        Erased = (2, "erased"),
    }
);

/// One statement about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// The statement.
    pub statement: StatementId,
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
    /// The object's id.
    pub stix_id: StixId,
    /// The object's version.
    pub version: StixVersion,
    /// What the body is.
    pub media: MediaType,
    /// Who may see it.
    pub tlp: Tlp,
    /// What may be done with it.
    pub pap: Option<Pap>,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
    /// The set to which it was first opened; known for own statements only.
    pub set: Option<SetId>,
    /// The audience that its envelope names.
    pub audience: AudienceId,
    /// In which feed.
    pub lane: Lane,
    /// Its thread.
    pub thread: ThreadId,
    /// How many versions the thread had before.
    pub thread_version: u32,
    /// What the log commits to.
    pub commitment: Commitment,
    /// Its name for people; `None` once it is erased.
    pub title: Option<String>,
    /// Has the object's maker revoked it?
    pub revoked: bool,
    /// May it not be asserted more widely than what it refers to?
    pub dependent: bool,
    /// Where it stands.
    pub state: ObjectState,
}

/// What a page of objects is narrowed to; the default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// One log's.
    pub log: Option<LogId>,
    /// One STIX type.
    pub type_name: Option<String>,
    /// Part of the title or of the id, in either case of ASCII letters.
    pub text: Option<String>,
    /// One state.
    pub state: Option<ObjectState>,
    /// One feed: what nations say of the world, or what they say about sharing.
    pub lane: Option<Lane>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT statement, log, idx, kind, uuid, version, media, tlp, pap, set_id, audience, lane, thread, \
             thread_version, revoked, dependent, state, commitment, title, walled FROM object ",
            $rest
        )
    };
}

/// A UUID as it is kept: 16 bytes if it is spelt as RFC 9562 prints it, else the text: each spelling reads back.
pub(crate) enum Uuid<'a> {
    Bytes([u8; 16]),
    Text(&'a str),
}

impl<'a> Uuid<'a> {
    pub(crate) fn of(id: &'a StixId) -> Self {
        let text = id.uuid();
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        match unhex::<16>(&digits) {
            Some(bytes) if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Self::Bytes(bytes),
            Some(_) | None => Self::Text(text),
        }
    }
}

impl ToSql for Uuid<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// Puts an id together again.
fn stix_id(kind: &str, uuid: ValueRef<'_>) -> Result<StixId, StoreError> {
    let text = match uuid {
        ValueRef::Blob(bytes) => {
            let hex = hex(bytes);
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
            format!("{kind}--{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
        }
        ValueRef::Text(text) => format!("{kind}--{}", String::from_utf8_lossy(text)),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            return Err(StoreError::corrupt("the UUID of an object is neither bytes nor text"));
        }
    };
    text.parse().map_err(|_| StoreError::corrupt(format!("`{text}` is not a STIX id")))
}

impl Db<'_> {
    fn object_row(&self, row: &Row<'_>) -> Result<ObjectRow, StoreError> {
        let kind = self.kind_name(row.get(3)?)?;
        Ok(ObjectRow {
            statement: row.get(0)?,
            log: row.get(1)?,
            index: Index(columns::count(row, 2)?),
            stix_id: stix_id(&kind, row.get_ref(4)?)?,
            version: StixVersion(columns::time(row, 5)?),
            media: columns::coded(row, 6, "media type", MediaType::from_code)?,
            tlp: columns::coded(row, 7, "label", Tlp::from_code)?,
            pap: columns::coded(row, 8, "PAP", Pap::from_code)?,
            set: row.get(9)?,
            audience: columns::fixed(row, 10, "audience", AudienceId::from_slice)?,
            lane: columns::coded(row, 11, "lane", Lane::from_code)?,
            thread: columns::fixed(row, 12, "thread", ThreadId::from_slice)?,
            thread_version: row.get(13)?,
            revoked: row.get(14)?,
            dependent: row.get(15)?,
            state: columns::coded(row, 16, "state of an object", ObjectState::from_code)?,
            commitment: columns::fixed(row, 17, "commitment", Commitment::from_slice)?,
            title: row.get(18)?,
            walled: columns::coded(row, 19, "kind", Walled::from_code)?,
        })
    }

    pub(crate) fn kind_id(&self, name: &str) -> Result<Option<i64>, StoreError> {
        if let Some(known) = self.memo.kind_ids.borrow().get(name) {
            return Ok(Some(*known));
        }
        let found = self.one("SELECT id FROM kind WHERE name = ?1", [name], |row| Ok(row.get(0)?))?;
        if let Some(id) = found {
            self.memo.note_kind(id, &Arc::from(name));
        }
        Ok(found)
    }

    fn kind_name(&self, id: i64) -> Result<Arc<str>, StoreError> {
        if let Some(known) = self.memo.kind_names.borrow().get(&id) {
            return Ok(Arc::clone(known));
        }
        let name: Arc<str> = self
            .one("SELECT name FROM kind WHERE id = ?1", [id], |row| Ok(row.get(0)?))?
            .ok_or_else(|| StoreError::corrupt(format!("type {id} has no name")))?;
        self.memo.note_kind(id, &name);
        Ok(name)
    }

    /// What one statement says of an object; `None` if it says nothing that this version reads.
    ///
    /// # Errors
    /// The database.
    pub fn object(&self, statement: StatementId) -> Result<Option<ObjectRow>, StoreError> {
        self.one(select!("WHERE statement = ?1"), [statement], |row| self.object_row(row))
    }

    /// Every statement about an id, in all logs, the newest version first.
    ///
    /// # Errors
    /// The database.
    pub fn objects_by_id(&self, id: &StixId) -> Result<Vec<ObjectRow>, StoreError> {
        let Some(kind) = self.kind_id(id.type_name())? else { return Ok(Vec::new()) };
        self.all(
            select!("WHERE uuid = ?1 AND kind = ?2 ORDER BY version DESC, statement DESC"),
            params![Uuid::of(id), kind],
            |row| self.object_row(row),
        )
    }

    /// The last version of an id's thread in one log. What is RED has a thread of its own, of which this knows nothing.
    ///
    /// # Errors
    /// The database.
    pub fn own_latest(&self, log: LogId, id: &StixId) -> Result<Option<ObjectRow>, StoreError> {
        let Some(kind) = self.kind_id(id.type_name())? else { return Ok(None) };
        self.one(
            select!(
                "WHERE uuid = ?1 AND kind = ?2 AND log = ?3 AND tlp <> 4
                 ORDER BY thread_version DESC, statement DESC LIMIT 1"
            ),
            params![Uuid::of(id), kind, log],
            |row| self.object_row(row),
        )
    }

    /// The statements of one log that refer to an id and may not be said more widely than it, in order of arrival.
    ///
    /// # Errors
    /// The database.
    pub fn dependents_of(&self, log: LogId, id: &StixId) -> Result<Vec<StatementId>, StoreError> {
        let Some(kind) = self.kind_id(id.type_name())? else { return Ok(Vec::new()) };
        self.all(
            "SELECT one.statement FROM object_ref AS one JOIN object USING (statement)
             WHERE one.uuid = ?1 AND one.kind = ?2 AND object.log = ?3 ORDER BY one.statement",
            params![Uuid::of(id), kind, log],
            |row| Ok(row.get(0)?),
        )
    }

    /// A page of objects, newest first, after a statement of the page before.
    ///
    /// # Errors
    /// The database.
    pub fn objects_page(
        &self,
        filter: &ObjectFilter,
        after: Option<StatementId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        let mut page = Vec::new();
        let before = after.map_or(i64::MAX, |statement| statement.0);
        let kind = match &filter.type_name {
            Some(name) => match self.kind_id(name)? {
                Some(kind) => Some(kind),
                None => return Ok(page),
            },
            None => None,
        };
        let state = filter.state.map(ObjectState::code);
        let lane = filter.lane.map(Lane::code);
        let text = filter.text.as_ref().map(|text| text.trim().to_ascii_lowercase()).filter(|text| !text.is_empty());
        let whole: Option<StixId> = text.as_ref().and_then(|text| text.parse().ok());
        let uuid = whole.as_ref().map(Uuid::of);
        // A whole id goes by its index; any other text is looked for row by row.
        let mut statement = self.conn.prepare_cached(if uuid.is_some() {
            select!(
                "WHERE uuid = ?5 AND statement < ?1 AND (?2 IS NULL OR log = ?2) AND (?3 IS NULL OR kind = ?3)
                 AND (?4 IS NULL OR state = ?4) AND (?6 IS NULL OR lane = ?6) ORDER BY statement DESC"
            )
        } else {
            select!(
                "WHERE statement < ?1 AND (?2 IS NULL OR log = ?2) AND (?3 IS NULL OR kind = ?3)
                 AND (?4 IS NULL OR state = ?4) AND ?5 IS NULL AND (?6 IS NULL OR lane = ?6)
                 ORDER BY statement DESC"
            )
        })?;
        let mut rows = statement.query(params![before, filter.log, kind, state, uuid, lane])?;
        while page.len() < limit
            && let Some(row) = rows.next()?
        {
            let object = self.object_row(row)?;
            if text.as_ref().is_none_or(|text| contains(&object, text)) {
                page.push(object);
            }
        }
        Ok(page)
    }

    /// How many statements about objects of each log are here, in whatever state; RED ones and those behind the wall are
    /// left out: counts ignore even their existence. Logs without any are left out.
    ///
    /// # Errors
    /// The database.
    pub fn object_counts(&self) -> Result<Vec<(LogId, u64)>, StoreError> {
        self.settle()?;
        self.all("SELECT log, objects FROM tally WHERE objects > 0 ORDER BY log", [], |row| {
            Ok((row.get(0)?, columns::count(row, 1)?))
        })
    }
}

fn contains(object: &ObjectRow, text: &str) -> bool {
    object.title.as_ref().is_some_and(|title| title.to_ascii_lowercase().contains(text))
        || object.stix_id.as_str().to_ascii_lowercase().contains(text)
}

impl Tx<'_> {
    /// Puts what a statement says of an object, with the ids to which it refers if it is a dependent. The same
    /// statement put again replaces its row.
    ///
    /// # Errors
    /// The database.
    pub fn put_object(&self, row: &ObjectRow, refs: &[StixId]) -> Result<(), StoreError> {
        let kind = self.intern_kind(row.stix_id.type_name())?;
        let erased = row.state == ObjectState::Erased;
        // What is erased leaves no name behind.
        let title = if erased { None } else { row.title.as_deref() };
        let values: &[&dyn ToSql] = params![
            row.statement,
            row.log,
            columns::int(row.index.0),
            kind,
            Uuid::of(&row.stix_id),
            row.version.0.micros(),
            row.media.code(),
            row.tlp.code(),
            Pap::code(row.pap),
            row.set,
            row.audience.as_bytes(),
            row.lane.code(),
            row.thread.as_bytes(),
            row.thread_version,
            row.revoked,
            row.dependent,
            row.state.code(),
            row.commitment.as_bytes(),
            title,
            Walled::code(row.walled),
        ];
        let new = self.run(
            "INSERT INTO object (statement, log, idx, kind, uuid, version, media, tlp, pap, set_id, audience, lane,
               thread, thread_version, revoked, dependent, state, commitment, title, walled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
             ON CONFLICT (statement) DO NOTHING",
            values,
        )?;
        if new == 1 {
            // Counts ignore even the existence of RED (architecture: "Policy"), and of what stands behind the wall: they
            // are shown to supervising desks too.
            self.memo.tally(row.log, 0, i64::from(row.tlp != Tlp::Red && row.walled.is_none()));
        } else {
            self.run(
                "UPDATE object SET log = ?2, idx = ?3, kind = ?4, uuid = ?5, version = ?6, media = ?7, tlp = ?8,
                   pap = ?9, set_id = ?10, audience = ?11, lane = ?12, thread = ?13, thread_version = ?14,
                   revoked = ?15, dependent = ?16, state = ?17, commitment = ?18, title = ?19,
                   walled = ?20 WHERE statement = ?1",
                values,
            )?;
            self.forget_refs(row.statement, row.dependent)?;
        }
        if row.dependent && !erased {
            self.put_refs(row.statement, refs)?;
        }
        Ok(())
    }

    fn put_refs(&self, statement: StatementId, refs: &[StixId]) -> Result<(), StoreError> {
        for id in refs {
            let kind = self.intern_kind(id.type_name())?;
            self.run(
                "INSERT INTO object_ref (kind, uuid, statement) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![kind, Uuid::of(id), statement],
            )?;
        }
        Ok(())
    }

    /// Looks through all references, for they have an index by target only: this is for what is erased or put again.
    fn forget_refs(&self, statement: StatementId, dependent: bool) -> Result<(), StoreError> {
        if dependent {
            self.run("DELETE FROM object_ref WHERE statement = ?1", [statement])?;
        }
        Ok(())
    }

    fn intern_kind(&self, name: &str) -> Result<i64, StoreError> {
        if let Some(known) = self.kind_id(name)? {
            return Ok(known);
        }
        let id = self.insert("INSERT INTO kind (name) VALUES (?1)", [name])?;
        self.memo.note_kind(id, &Arc::from(name));
        Ok(id)
    }

    /// Changes where a statement about an object stands. Erasing takes its title and its references away.
    ///
    /// # Errors
    /// The database.
    pub fn object_state(&self, statement: StatementId, state: ObjectState) -> Result<(), StoreError> {
        if state != ObjectState::Erased {
            self.run("UPDATE object SET state = ?2 WHERE statement = ?1", params![statement, state.code()])?;
            return Ok(());
        }
        let dependent = self.one(
            "UPDATE object SET state = ?2, title = NULL WHERE statement = ?1 RETURNING dependent",
            params![statement, state.code()],
            |row| Ok(row.get(0)?),
        )?;
        self.forget_refs(statement, dependent.unwrap_or(false))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{World, at, audience, commitment, indicator, origin};

    /// A row about `id`, at `statement` of a log.
    pub(crate) fn object(log: LogId, statement: i64, id: &StixId) -> ObjectRow {
        ObjectRow {
            statement: StatementId(statement),
            log,
            index: Index(statement.cast_unsigned()),
            stix_id: id.clone(),
            version: StixVersion(at(statement)),
            media: MediaType::Stix,
            tlp: Tlp::Amber,
            pap: Some(Pap::Green),
            walled: None,
            set: Some(SetId(1)),
            audience: audience(1),
            lane: Lane::Intelligence,
            thread: ThreadId::new([7; 16]),
            thread_version: 0,
            commitment: commitment(statement.cast_unsigned()),
            title: Some(format!("Beacon {statement}")),
            revoked: false,
            dependent: false,
            state: ObjectState::Live,
        }
    }

    fn statements(rows: &[ObjectRow]) -> Vec<i64> {
        rows.iter().map(|row| row.statement.0).collect()
    }

    #[test]
    fn every_spelling_of_an_id_reads_back() {
        let world = World::new();
        let ids = [
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "indicator--8E2E2D2B-17d4-4cbf-938f-98ee46b3cd3f",
            "malware--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "x-misp-event--00000000-0000-0000-0000-000000000000",
        ];
        world.write(|tx| {
            for (statement, id) in (1..).zip(ids) {
                let row = object(LogId(1), statement, &id.parse().unwrap());
                tx.put_object(&row, &[])?;
                assert_eq!(tx.objects_by_id(&row.stix_id)?, std::slice::from_ref(&row), "{id}");
                assert_eq!(tx.object(row.statement)?, Some(row));
            }
            assert_eq!(tx.objects_by_id(&indicator(77))?, []);
            assert_eq!(tx.objects_by_id(&"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".parse().unwrap())?, []);
            Ok(())
        });
    }

    #[test]
    fn the_newest_version_comes_first_and_the_own_thread_is_found() {
        let world = World::new();
        let id = indicator(1);
        world.write(|tx| {
            for (statement, log, version, thread) in [(1, 1, 5, 0), (2, 2, 9, 0), (3, 1, 3, 1)] {
                let mut row = object(LogId(log), statement, &id);
                row.version = StixVersion(at(version));
                row.thread_version = thread;
                tx.put_object(&row, &[])?;
            }
            assert_eq!(statements(&tx.objects_by_id(&id)?), [2, 1, 3]);
            assert_eq!(tx.own_latest(LogId(1), &id)?.unwrap().statement.0, 3);
            assert_eq!(tx.own_latest(LogId(3), &id)?, None);
            Ok(())
        });
    }

    #[test]
    fn pages_are_narrowed_and_go_on() {
        let world = World::new();
        world.write(|tx| {
            for number in 1..=9 {
                let id = if number % 3 == 0 {
                    format!("malware--{number:08}-17d4-4cbf-938f-98ee46b3cd3f").parse().unwrap()
                } else {
                    indicator(u32::try_from(number).unwrap())
                };
                let mut row = object(LogId(1 + number % 2), number, &id);
                row.state = if number > 7 { ObjectState::Withdrawn } else { ObjectState::Live };
                tx.put_object(&row, &[])?;
            }
            let check = |filter: ObjectFilter, after: Option<i64>, limit, expect: &[i64]| {
                let page = tx.objects_page(&filter, after.map(StatementId), limit).unwrap();
                assert_eq!(statements(&page), expect, "{filter:?}");
            };
            let all = ObjectFilter::default;
            check(all(), None, 3, &[9, 8, 7]);
            check(all(), Some(7), 3, &[6, 5, 4]);
            check(ObjectFilter { log: Some(LogId(2)), ..all() }, None, 2, &[9, 7]);
            check(ObjectFilter { type_name: Some("malware".to_owned()), ..all() }, None, 9, &[9, 6, 3]);
            check(ObjectFilter { type_name: Some("tool".to_owned()), ..all() }, None, 9, &[]);
            check(ObjectFilter { state: Some(ObjectState::Withdrawn), ..all() }, None, 9, &[9, 8]);
            check(ObjectFilter { lane: Some(Lane::Intelligence), ..all() }, None, 2, &[9, 8]);
            check(ObjectFilter { lane: Some(Lane::Workflow), ..all() }, None, 9, &[]);
            check(ObjectFilter { text: Some("BEACON 4".to_owned()), ..all() }, None, 9, &[4]);
            check(ObjectFilter { text: Some("malware--0000000".to_owned()), ..all() }, None, 2, &[9, 6]);
            check(ObjectFilter { text: Some(indicator(5).to_string()), ..all() }, None, 9, &[5]);
            check(ObjectFilter { text: Some(" ".to_owned()), ..all() }, None, 1, &[9]);
            check(ObjectFilter { text: Some("no such".to_owned()), ..all() }, None, 9, &[]);
            assert_eq!(tx.object_counts()?, [(LogId(1), 4), (LogId(2), 5)]);
            Ok(())
        });
    }

    #[test]
    fn putting_again_replaces_and_erasing_leaves_no_name() {
        let world = World::new();
        world.write(|tx| {
            tx.ensure_log(&origin("FR"))?;
            let targets = [indicator(8), indicator(9)];
            let mut row = object(LogId(1), 1, &indicator(1));
            row.dependent = true;
            tx.put_object(&row, &targets)?;
            tx.put_object(&row, &targets[..1])?;
            assert_eq!(tx.dependents_of(LogId(1), &indicator(8))?, [StatementId(1)]);
            assert_eq!(tx.dependents_of(LogId(1), &indicator(9))?, [], "its row was replaced");
            assert_eq!(tx.dependents_of(LogId(2), &indicator(8))?, []);
            assert_eq!(tx.object_counts()?, [(LogId(1), 1)], "one statement counts once");
            tx.object_state(row.statement, ObjectState::Withdrawn)?;
            assert_eq!(tx.object(row.statement)?.unwrap().title.as_deref(), Some("Beacon 1"));
            tx.object_state(row.statement, ObjectState::Erased)?;
            let erased = tx.object(row.statement)?.unwrap();
            assert_eq!((erased.state, erased.title), (ObjectState::Erased, None));
            assert_eq!(tx.dependents_of(LogId(1), &indicator(8))?, []);
            Ok(())
        });
    }
}
