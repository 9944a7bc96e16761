//! Sealed files as evidence: who may put one in, who may take it out, and which the depot keeps.

use std::collections::BTreeSet;

use domain::assist::room::{self, ArtefactCase, Fate};
use domain::assist::{InvalidTransition, Word, case};
use model::extension::Extension;
use model::extension::assistance::{Artefact, CustodyAct, Sha256Digest, Way};
use model::{Citation, EntryRef, Index, Origin, Timestamp};
use policy::{Facts, Governed, PolicyVersion, Purpose, Viewer};
use store::{LogId, ObjectFilter, ObjectState, PartnerRow, StatementId, StoreError};

use super::{AssistError, evidence, gather, note};
use crate::depot::Depot;
use crate::limits;
use crate::query;
use crate::work::{View, Work};

/// What is known of a sealed file.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedFile {
    /// Its piece of evidence.
    pub known: ArtefactCase,
    /// Its name in the depot.
    pub name: Sha256Digest,
    /// Bytes of the sealed file.
    pub size: u64,
    /// SHA-256 of the sealed file.
    pub sha256: Sha256Digest,
}

impl SealedFile {
    /// `None` if it goes by courier.
    #[must_use]
    pub fn of(known: ArtefactCase) -> Option<Self> {
        let Way::Sealed { sealed_size, sealed_sha256, pieces, recipients: _ } = &known.artefact.way else {
            return None;
        };
        let (name, size, sha256) = (*pieces, *sealed_size, *sealed_sha256);
        Some(Self { known, name, size, sha256 })
    }

    /// May somebody of this node take it out, under a link of custody that was said for that not long ago?
    #[must_use]
    pub fn open_fetch(&self, me: &Origin, by: &str, now: Timestamp) -> Option<&Citation> {
        let since = now.plus_seconds(-limits::FETCH_SECONDS);
        let is_it = |link: &model::extension::assistance::Custody| {
            link.act == CustodyAct::Fetched && link.by == by && link.common.created >= since
        };
        let mut links = self.known.custody.iter().rev().filter(|(place, link)| place.origin == *me && is_it(link));
        links.next().map(|(place, _)| place).filter(|_| self.known.fate(me) == Fate::Has)
    }
}

/// Is there an agreement in force under which this node may give evidence? It is named by its acceptance.
///
/// # Errors
/// There is none that the viewer may see.
pub fn may_give(view: &View<'_, '_>, viewer: &Viewer, acceptance: EntryRef) -> Result<(), AssistError> {
    let (case, _) = query::assist::room(view, viewer, acceptance).map_err(unseen)?.into_inner();
    let named = |place: &Citation| EntryRef::of(&place.origin, place.index) == acceptance;
    let mut agreed = case.offers.iter().flat_map(|offer| &offer.agreements).filter(|agreed| named(&agreed.place));
    match agreed.next() {
        Some(agreed) if agreed.state.is_in_force() => Ok(()),
        Some(_) => Err(AssistError::NoEffect(InvalidTransition::NotInForce)),
        None => Err(AssistError::Unknown),
    }
}

/// A sealed file that the viewer may see, named by its entry.
///
/// # Errors
/// There is none.
pub fn seen(view: &View<'_, '_>, viewer: &Viewer, entry: EntryRef) -> Result<SealedFile, AssistError> {
    let (_, room) = query::assist::room(view, viewer, entry).map_err(unseen)?.into_inner();
    let named = |known: &ArtefactCase| EntryRef::of(&known.place.origin, known.place.index) == entry;
    room.artefacts.into_iter().find(named).and_then(SealedFile::of).ok_or(AssistError::Unknown)
}

fn unseen(error: query::objects::ObjectError) -> AssistError {
    match error {
        query::objects::ObjectError::Store(error) => error.into(),
        query::objects::ObjectError::NotFound => AssistError::Unknown,
    }
}

/// Says that somebody takes the sealed file out of this node, unless that was said not long ago; gives the place of the
/// link. What is taken out is taken under it.
///
/// # Errors
/// It is not there, or was destroyed; nothing is said then.
pub fn fetch(work: &mut Work<'_, '_>, place: &Citation, by: &str) -> Result<Index, AssistError> {
    let (_, room) = note::room_at(work, place)?;
    let known = room.artefacts.into_iter().find(|known| known.place == *place).ok_or(AssistError::Unknown)?;
    let file = SealedFile::of(known).ok_or(AssistError::Unknown)?;
    if file.known.fate(&file.known.place.origin) == Fate::Destroyed {
        return Err(AssistError::Gone);
    }
    if let Some(link) = file.open_fetch(&work.me.origin, by, work.now) {
        return Ok(link.index);
    }
    Ok(evidence::custody(work, place, CustodyAct::Fetched, by, None, None)?.appended.index)
}

/// A sealed file of ours as a partner may have it: through the gate like its statement, and as long as we have it.
///
/// # Errors
/// There is none for it: one answer.
pub fn for_partner(view: &View<'_, '_>, partner: &PartnerRow, index: Index) -> Result<SealedFile, AssistError> {
    let statement = view.db.statement_at(view.me.log, index)?.ok_or(AssistError::Unknown)?;
    // What is not signed yet has not been shown to anybody.
    if index.0 >= view.signed.size {
        return Err(AssistError::Unknown);
    }
    let row = view.db.object(statement.id)?.filter(|row| row.state == ObjectState::Live);
    let row = row.ok_or(AssistError::Unknown)?;
    let facts = query::facts_of_row(view, &row)?;
    let viewer = Viewer::Partner { origin: partner.origin.clone(), class: partner.class };
    let released = policy::release(Asked(facts), &viewer, Purpose::Feed, &PolicyVersion::CURRENT);
    released.map_err(|_| AssistError::Unknown)?;
    let known = known_at(view, view.me.log, index)?.ok_or(AssistError::Unknown)?;
    let file = SealedFile::of(known).filter(|file| file.known.other == partner.origin).ok_or(AssistError::Unknown)?;
    let has = file.known.place.origin == view.me.origin && file.known.fate(&view.me.origin) == Fate::Has;
    if has { Ok(file) } else { Err(AssistError::Unknown) }
}

struct Asked(Facts);

impl Governed for Asked {
    fn facts(&self) -> Facts {
        self.0.clone()
    }
}

/// Is it to be said that the other party's node gets the bytes? Once, and once more after it has given them back.
#[must_use]
pub fn is_news(file: &SealedFile) -> bool {
    let ended = |act: &CustodyAct| matches!(act, CustodyAct::Returned { .. } | CustodyAct::Destroyed { .. });
    let owner = &file.known.place.origin;
    let since = file.known.custody.iter().rev().take_while(|(place, link)| place.origin == *owner || !ended(&link.act));
    !since.into_iter().any(|(_, link)| link.act == CustodyAct::HandedOut)
}

/// Says that this node gives the bytes to the other party's node.
///
/// # Errors
/// It is not there; nothing is said then.
pub fn hand_out(work: &mut Work<'_, '_>, place: &Citation) -> Result<(), AssistError> {
    let (_, room) = note::room_at(work, place)?;
    let known = room.artefacts.into_iter().find(|known| known.place == *place).ok_or(AssistError::Unknown)?;
    let file = SealedFile::of(known).ok_or(AssistError::Unknown)?;
    if is_news(&file) {
        evidence::custody(work, place, CustodyAct::HandedOut, "node", None, None)?;
    }
    Ok(())
}

/// Refuses bytes that are evidence already: what is deleted with one must not be missing of another.
///
/// # Errors
/// Another statement names them.
pub(super) fn is_new(work: &Work<'_, '_>, name: Sha256Digest) -> Result<(), AssistError> {
    let mut after = None;
    loop {
        let page = page_of(work.tx, after)?;
        for row in &page {
            if let Some(artefact) = artefact(work.tx, work.signer, row)?
                && named(&artefact) == Some(name)
            {
                let entry = EntryRef::of(&work.tx.origin(row.log)?, row.index);
                return Err(AssistError::Field(format!("this sealed file is evidence {entry} already: seal it anew")));
            }
        }
        match page.last() {
            Some(last) if page.len() == limits::PAGE_ROWS_MAX => after = Some(last.statement),
            Some(_) | None => return Ok(()),
        }
    }
}

fn page_of(db: &store::Db<'_>, after: Option<StatementId>) -> Result<Vec<store::ObjectRow>, StoreError> {
    let filter = ObjectFilter {
        type_name: Some(Artefact::KIND.to_owned()),
        state: Some(ObjectState::Live),
        ..ObjectFilter::default()
    };
    db.objects_page(&filter, after, limits::PAGE_ROWS_MAX)
}

fn artefact(
    db: &store::Db<'_>,
    signer: &dyn crate::ports::Signer,
    row: &store::ObjectRow,
) -> Result<Option<Artefact>, StoreError> {
    let Some(Word::Room(word)) = gather::word(db, signer, row)? else { return Ok(None) };
    match word {
        room::RoomWord::Artefact(artefact) => Ok(Some(artefact)),
        room::RoomWord::Note(_) | room::RoomWord::Custody(_) => Ok(None),
    }
}

fn named(artefact: &Artefact) -> Option<Sha256Digest> {
    match &artefact.way {
        Way::Sealed { pieces, .. } => Some(*pieces),
        Way::Courier { .. } => None,
    }
}

/// The files that the depot keeps: those that a statement names which is neither purged nor withdrawn, until this node
/// has said that it gave them back or destroyed them.
///
/// # Errors
/// The database.
pub fn wanted(view: &View<'_, '_>) -> Result<BTreeSet<Sha256Digest>, StoreError> {
    let (mut wanted, mut after) = (BTreeSet::new(), None);
    loop {
        let page = page_of(view.db, after)?;
        for row in &page {
            let Some(name) = artefact(view.db, view.signer, row)?.as_ref().and_then(named) else { continue };
            // A case that can't be read whole is no reason to delete anything.
            let fate = known_at(view, row.log, row.index)?.map(|known| known.fate(&view.me.origin));
            if !matches!(fate, Some(Fate::Returned | Fate::Destroyed)) {
                wanted.insert(name);
            }
        }
        match page.last() {
            Some(last) if page.len() == limits::PAGE_ROWS_MAX => after = Some(last.statement),
            Some(_) | None => return Ok(wanted),
        }
    }
}

/// A piece of evidence with its chain of custody, as this node holds it.
fn known_at(view: &View<'_, '_>, log: LogId, index: Index) -> Result<Option<ArtefactCase>, StoreError> {
    let heard = gather::heard(view.db, view.signer, log, index)?;
    let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
    let Some(case) = case::fold(&heard) else { return Ok(None) };
    let origin = view.db.origin(log)?;
    let is_it = |known: &ArtefactCase| known.place.index == index && known.place.origin == origin;
    Ok(room::fold(&case, &heard).artefacts.into_iter().find(is_it))
}

/// Is the file with this name and size there, whole?
///
/// # Errors
/// It isn't: put what is missing first.
pub fn is_whole(depot: &dyn Depot, name: Sha256Digest, size: u64) -> Result<(), AssistError> {
    match depot.kept(name)? {
        Some(kept) if kept.size == size && kept.is_whole() => Ok(()),
        Some(kept) if kept.size == size => {
            let missing = kept.present.iter().filter(|there| !**there).count();
            Err(AssistError::Incomplete(format!("{missing} of its pieces are not here yet: put them first")))
        }
        Some(_) => Err(AssistError::Field("`sealed_size` is not the size with which it was begun".to_owned())),
        None => Err(AssistError::Incomplete("it was not begun here: put it first".to_owned())),
    }
}
