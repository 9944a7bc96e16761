//! Dossiers for the EU Cybersecurity Reserve: statements of the own log to ourselves alone, behind the wall, since they
//! name who is hit. What is done with one is done outside, and noted here.

use std::collections::BTreeSet;

use domain::assist::reserve;
use domain::said::Said;
use model::extension::assistance::{Dossier, Request, RequestLine, ReserveStep, ReserveTaken, ReserveUser, StepProof};
use model::extension::{Common, Extension};
use model::{Citation, Timestamp};
use store::{Db, ObjectFilter, ObjectRow, ObjectState, StoreError};

use super::{AssistError, capacity, speak};
use crate::append::Appended;
use crate::body;
use crate::limits;
use crate::ports::Signer;
use crate::work::Work;

/// A dossier with the row of its newest version.
pub type Kept = (ObjectRow, Dossier);

/// Our dossiers, the newest first, each as it stands.
///
/// # Errors
/// The database.
pub fn all(db: &Db<'_>, signer: &dyn Signer, log: store::LogId) -> Result<Vec<Kept>, StoreError> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for row in versions(db, log)? {
        if seen.insert(row.stix_id.clone())
            && let Some(dossier) = read(db, signer, &row)?
        {
            found.push((row, dossier));
        }
    }
    Ok(found)
}

/// One of our dossiers as it stands, named by any version of it.
///
/// # Errors
/// The database.
pub fn one(
    db: &Db<'_>,
    signer: &dyn Signer,
    log: store::LogId,
    index: model::Index,
) -> Result<Option<Kept>, StoreError> {
    let rows = versions(db, log)?;
    let Some(named) = rows.iter().find(|row| row.index == index) else { return Ok(None) };
    let Some(newest) = rows.iter().find(|row| row.stix_id == named.stix_id) else { return Ok(None) };
    Ok(read(db, signer, newest)?.map(|dossier| (newest.clone(), dossier)))
}

fn versions(db: &Db<'_>, log: store::LogId) -> Result<Vec<ObjectRow>, StoreError> {
    let filter = ObjectFilter {
        log: Some(log),
        type_name: Some(Dossier::KIND.to_owned()),
        state: Some(ObjectState::Live),
        ..ObjectFilter::default()
    };
    db.objects_page(&filter, None, limits::DOSSIER_VERSIONS)
}

fn read(db: &Db<'_>, signer: &dyn Signer, row: &ObjectRow) -> Result<Option<Dossier>, StoreError> {
    let Some(bytes) = body::open(db, signer, row.statement)? else { return Ok(None) };
    match Said::read(row.media, &bytes) {
        Ok(Said::Dossier(_, dossier)) => Ok(Some(*dossier)),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// What a new dossier begins with.
#[derive(Debug, Clone)]
pub struct NewDossier {
    /// One line; that of the call for help if there is one.
    pub title: Option<String>,
    /// Who asks.
    pub user: ReserveUser,
    /// Our call for help on the other path: what it says already is taken over.
    pub request: Option<Citation>,
}

/// Opens a dossier.
///
/// # Errors
/// The call for help is not ours, or nothing says what it is about; nothing is kept then.
pub fn open(work: &mut Work<'_, '_>, new: &NewDossier, by: &str) -> Result<Appended, AssistError> {
    has_room(work)?;
    let request = match &new.request {
        Some(place) => Some(super::own_case(work, place)?),
        None => None,
    };
    let year = work.now.year();
    let number = work.tx.allocate(&format!("reserve-dossier-{year}"))?;
    let common = speak::common::<Dossier>(work)?;
    let asked = request.as_ref().map(|case| &case.request);
    let why = || AssistError::Field("say what it is about (`name`), or for which call for help it is".to_owned());
    let dossier = Dossier {
        common,
        number: format!("{}-RES-{year}-{number:03}", work.me.origin.country()),
        title: new.title.clone().or_else(|| asked.map(|asked| asked.title.clone())).ok_or_else(why)?,
        user: new.user,
        request: request.as_ref().map(|case| case.place.clone()),
        contact_point: None,
        scale: None,
        entity: None,
        impact: asked.and_then(|asked| asked.situation.clone()),
        service: asked.map(service),
        planned_use: asked.and_then(planned_use),
        needs: asked.map(needs),
        mitigation: asked.and_then(|asked| asked.mitigation.clone()),
        other_support: None,
        steps: vec![ReserveTaken {
            step: ReserveStep::Draft,
            at: work.now,
            by: by.to_owned(),
            note: None,
            proof: None,
        }],
    };
    let target = capacity::ourselves(work)?;
    speak::to_ourselves(work, &target, None, &dossier)
}

fn listed(asked: &Request, line: impl Fn(&RequestLine) -> String) -> String {
    asked.lines.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn service(asked: &Request) -> String {
    listed(asked, |line| format!("{} ({})", line.kind, line.mode))
}

fn needs(asked: &Request) -> String {
    let many = listed(asked, |line| format!("{} × {}", u32::from(line.quantity), line.kind));
    format!("{many}; by {}", asked.by_when)
}

fn planned_use(asked: &Request) -> Option<String> {
    let uses: Vec<String> = asked.lines.iter().filter_map(|line| line.planned_use.clone()).collect();
    if uses.is_empty() { None } else { Some(uses.join("; ")) }
}

/// Keeps a new version of a dossier. `change` is what is new in its fields.
///
/// # Errors
/// It is not there, or a field is out of its range; nothing is kept then.
pub fn fill(
    work: &mut Work<'_, '_>,
    place: &Citation,
    change: impl FnOnce(&mut Dossier),
) -> Result<Appended, AssistError> {
    next_version(work, place, |dossier| {
        change(dossier);
        Ok(())
    })
}

/// A step that was taken outside.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// Which.
    pub step: ReserveStep,
    /// When; now if it is not said.
    pub at: Option<Timestamp>,
    /// What else is to be said.
    pub note: Option<String>,
    /// What shows it.
    pub proof: Option<StepProof>,
}

/// Notes a step that was taken outside.
///
/// # Errors
/// It has no place there, lies in the future or before the last one, or nothing shows it; nothing is kept then.
pub fn step(work: &mut Work<'_, '_>, place: &Citation, new: &NewStep, by: &str) -> Result<Appended, AssistError> {
    let now = work.now;
    next_version(work, place, |dossier| {
        reserve::next(dossier.step(), new.step).map_err(AssistError::NoEffect)?;
        let at = new.at.unwrap_or(now);
        let since = dossier.steps.last().map(|taken| taken.at);
        // Of the steps that people take outside no later one is earlier; the draft began when it was noted.
        let is_before = dossier.steps.len() > 1 && since.is_some_and(|since| at < since);
        if at > now || is_before {
            let why = "`at` lies between the last step and now: it says when it was done";
            return Err(AssistError::Field(why.to_owned()));
        }
        if reserve::needs_proof(new.step) && new.proof.is_none() {
            let why = format!("`{}` was done outside: attach what shows it, such as ENISA's acknowledgement", new.step);
            return Err(AssistError::Field(why));
        }
        if new.step == ReserveStep::AtContactPoint && dossier.contact_point.is_none() {
            return Err(AssistError::Field(
                "say first who the single point of contact is (`contact_point`)".to_owned(),
            ));
        }
        dossier.steps.push(ReserveTaken {
            step: new.step,
            at,
            by: by.to_owned(),
            note: new.note.clone(),
            proof: new.proof.clone(),
        });
        Ok(())
    })
}

fn next_version(
    work: &mut Work<'_, '_>,
    place: &Citation,
    change: impl FnOnce(&mut Dossier) -> Result<(), AssistError>,
) -> Result<Appended, AssistError> {
    has_room(work)?;
    if place.origin != work.me.origin {
        return Err(AssistError::NoDossier);
    }
    let found = one(work.tx, work.signer, work.me.log, place.index)?;
    let (row, mut dossier) = found.ok_or(AssistError::NoDossier)?;
    change(&mut dossier)?;
    let modified = speak::later(work.now, dossier.common.modified);
    dossier.common = Common { modified, ..dossier.common };
    let target = capacity::ourselves(work)?;
    let after = Some((row.thread, model::ThreadVersion(row.thread_version), row.commitment));
    speak::to_ourselves(work, &target, after, &dossier)
}

fn has_room(work: &Work<'_, '_>) -> Result<(), AssistError> {
    if versions(work.tx, work.me.log)?.len() >= limits::DOSSIER_VERSIONS {
        let most = limits::DOSSIER_VERSIONS;
        return Err(AssistError::Field(format!("this node keeps at most {most} versions of dossiers")));
    }
    Ok(())
}
