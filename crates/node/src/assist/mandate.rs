//! Mandates: the affected nation says what a partner's helpers may touch at an entity, and that they may no more. The
//! provider names its helpers. A gateway asks with its own token whether a mandate still stands.

use data_encoding::BASE32_NOPAD;
use domain::assist::case::{AgreementCase, Case};
use domain::assist::mandate::MandateCase;
use domain::assist::{InvalidTransition, mandate as life};
use journal::mandate::Lease;
use journal::note::NoteVerifier;
use model::extension::assistance::{
    AccessKind, Consent, ConsentProof, Helper, Hours, Mandate, MandateAction, MandateHelpers, MandatePhase, SystemName,
};
use model::extension::{Common, Extension};
use model::{Citation, EntryRef, StixId, Timestamp};
use sha2::{Digest, Sha256};
use store::StoreError;
use subtle::ConstantTimeEq;

use super::{AssistError, Spoken, agreement_at, case_at, own_case, speak};
use crate::actor::Actor;
use crate::ports::{SignerError, random_bytes};
use crate::query;
use crate::query::objects::ObjectError;
use crate::work::{View, Work};

/// What a gate's token begins with, so that scanners for leaked secrets find it.
pub const GATE_TOKEN_PREFIX: &str = "entraide_gate_";

/// A mandate to be drafted.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Whose systems.
    pub entity: String,
    /// By which way.
    pub access: AccessKind,
    /// Which systems.
    pub systems: Vec<SystemName>,
    /// What may be done on them.
    pub actions: Vec<MandateAction>,
    /// From when on; `None` is now.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// Within which hours of a day.
    pub hours: Option<Hours>,
    /// What of the data may be taken.
    pub data_limits: Option<String>,
    /// Who may take it back.
    pub revokers: String,
    /// Who comes, by role.
    pub team: String,
}

/// What the affected nation may say of a mandate next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MandateStep {
    /// The entity has consented.
    Consent(Consent),
    /// It runs, with the helpers whom the provider has named by now.
    Activate,
    /// It stops for now.
    Suspend(Option<String>),
    /// It runs again.
    Resume,
    /// It is taken back.
    Revoke(Option<String>),
    /// It is over as planned.
    End(Option<String>),
    /// The entity has opened the way at that time: for what is recorded.
    Opened(Timestamp),
    /// The entity has closed it.
    Closed(Timestamp),
    /// The gate gets a new token; the one before is worth nothing from here on.
    Gate,
}

/// A statement about a mandate, with the token of its gate if one was made: it is shown once.
#[derive(Debug, Clone)]
pub struct MandateSpoken {
    /// What was said.
    pub spoken: Spoken,
    /// The gate's token.
    pub token: Option<String>,
}

/// Drafts a mandate under an agreement, named by its acceptance.
///
/// # Errors
/// It is not ours, there is no agreement in force, or a field is out of its range; nothing is said then.
pub fn draft(work: &mut Work<'_, '_>, acceptance: &Citation, draft: &Draft) -> Result<Spoken, AssistError> {
    let case = own_case(work, acceptance)?;
    let (offer, agreed) = agreement_at(&case, acceptance)?;
    if !agreed.state.is_in_force() {
        return Err(AssistError::NoEffect(InvalidTransition::NotInForce));
    }
    let mandate = Mandate {
        common: speak::common::<Mandate>(work)?,
        agreement: agreed.place.clone(),
        phase: MandatePhase::Drafted,
        entity: draft.entity.clone(),
        access: draft.access,
        systems: draft.systems.clone(),
        actions: draft.actions.clone(),
        from: draft.from.unwrap_or(work.now),
        until: draft.until,
        hours: draft.hours,
        data_limits: draft.data_limits.clone(),
        revokers: draft.revokers.clone(),
        team: draft.team.clone(),
        consent: None,
        helpers: Vec::new(),
        opened: None,
        closed: None,
        gate: None,
        reason: None,
    };
    let provider = offer.provider().clone();
    let appended = speak::to_partner(work, &provider, &mandate)?;
    speak::took_effect(work, &case.place, &appended)?;
    Ok(Spoken { appended, request: case.place })
}

/// Says the next version of a mandate of ours, named by any of its statements.
///
/// # Errors
/// It is not ours, does not follow, or its agreement is not in force; nothing is said then.
pub fn step(work: &mut Work<'_, '_>, place: &Citation, step: MandateStep) -> Result<MandateSpoken, AssistError> {
    let case = own_case(work, place)?;
    let (agreed, known) = find(&case, place)?;
    let mut mandate = known.mandate.clone();
    mandate.common = Common { modified: speak::later(work.now, mandate.common.modified), ..mandate.common };
    let starts = matches!(step, MandateStep::Consent(_) | MandateStep::Activate | MandateStep::Resume);
    // What ends a mandate is always said; what starts one needs what it lives in.
    if starts && !agreed.state.is_in_force() {
        return Err(AssistError::NoEffect(InvalidTransition::NotInForce));
    }
    let token = change(work, &mut mandate, known, step)?;
    let appended = speak::next_version(work, &mandate)?;
    speak::took_effect(work, &case.place, &appended)?;
    Ok(MandateSpoken { spoken: Spoken { appended, request: case.place }, token })
}

fn change(
    work: &mut Work<'_, '_>,
    mandate: &mut Mandate,
    known: &MandateCase,
    step: MandateStep,
) -> Result<Option<String>, AssistError> {
    let mut go = |phase: MandatePhase| {
        life::next(mandate.phase, phase).map_err(AssistError::NoEffect)?;
        mandate.phase = phase;
        Ok::<_, AssistError>(())
    };
    match step {
        MandateStep::Consent(consent) => {
            go(MandatePhase::Consented)?;
            checked(mandate, &consent)?;
            mandate.consent = Some(consent);
        }
        MandateStep::Activate | MandateStep::Resume => {
            go(MandatePhase::Active)?;
            mandate.helpers = known.named.as_ref().map_or_else(Vec::new, |(_, named)| named.helpers.clone());
            mandate.reason = None;
        }
        MandateStep::Suspend(reason) => {
            go(MandatePhase::Suspended)?;
            mandate.reason = reason;
        }
        MandateStep::Revoke(reason) => {
            go(MandatePhase::Revoked)?;
            mandate.reason = reason;
        }
        MandateStep::End(reason) => {
            go(MandatePhase::Ended)?;
            mandate.reason = reason;
        }
        MandateStep::Opened(at) | MandateStep::Closed(at) if mandate.access.is_enforced() => {
            let why = format!("a way by ssh is opened and closed by its gate: {at} is not written down");
            return Err(AssistError::Field(why));
        }
        MandateStep::Opened(at) => mandate.opened = Some(at),
        MandateStep::Closed(at) => mandate.closed = Some(at),
        MandateStep::Gate => {
            let secret: [u8; 32] = random_bytes(work.random);
            mandate.gate = Some(model::bytes::hex(&Sha256::digest(secret)));
            return Ok(Some(format!("{GATE_TOKEN_PREFIX}{}", BASE32_NOPAD.encode(&secret).to_ascii_lowercase())));
        }
    }
    Ok(None)
}

/// A signature that does not hold is no consent.
fn checked(mandate: &Mandate, consent: &Consent) -> Result<(), AssistError> {
    let ConsentProof::Signed { key, note } = &consent.proof else { return Ok(()) };
    let wrong =
        |error: &dyn std::fmt::Display| AssistError::Field(format!("the signed consent does not hold: {error}"));
    let key: NoteVerifier = key.parse().map_err(|error| wrong(&error))?;
    journal::mandate::verify_consent(note, &key, mandate.word(), &mandate.terms(), &consent.by)
        .map_err(|error| wrong(&error))
}

/// The provider names its helpers for a mandate, all of them.
///
/// # Errors
/// It is not our agreement, or a key is none; nothing is said then.
pub fn name_helpers(work: &mut Work<'_, '_>, place: &Citation, helpers: &[Helper]) -> Result<Spoken, AssistError> {
    let case = case_at(work, place)?;
    let (agreed, known) = find(&case, place)?;
    let (offer, _) = agreement_at(&case, &agreed.place)?;
    if *offer.provider() != work.me.origin {
        return Err(AssistError::NotYours(offer.provider().country().to_string()));
    }
    let before = known.named.as_ref().map(|(_, named)| named.common.clone());
    let common = match before.clone() {
        Some(common) => Common { modified: speak::later(work.now, common.modified), ..common },
        None => speak::common::<MandateHelpers>(work)?,
    };
    let said = MandateHelpers { common, mandate: known.place.clone(), helpers: helpers.to_vec() };
    let owner = case.place.origin.clone();
    let appended =
        if before.is_some() { speak::next_version(work, &said)? } else { speak::to_partner(work, &owner, &said)? };
    speak::took_effect(work, &case.place, &appended)?;
    Ok(Spoken { appended, request: case.place })
}

/// The mandate of which a place is a version, and the agreement around it.
fn find<'c>(case: &'c Case, place: &Citation) -> Result<(&'c AgreementCase, &'c MandateCase), AssistError> {
    found(case, |known| known.stands_at(place)).ok_or(AssistError::Unknown)
}

fn found(case: &Case, is_it: impl Fn(&MandateCase) -> bool) -> Option<(&AgreementCase, &MandateCase)> {
    case.offers
        .iter()
        .flat_map(|offer| &offer.agreements)
        .find_map(|agreed| agreed.mandates.iter().find(|one| is_it(one)).map(|one| (agreed, one)))
}

/// Why no lease is given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such mandate of ours, or not that gate's token: one answer.
    #[error("there is no such mandate here for this token")]
    Unknown,
    /// The node was set back, and may have forgotten that it took the mandate back.
    #[error("this node does not speak now: what it says of a mandate may be old")]
    Silent,
    /// The key.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl From<ObjectError> for LeaseError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Store(error) => Self::Store(error),
            ObjectError::NotFound => Self::Unknown,
        }
    }
}

/// Says to a mandate's gate, which shows its token, whether the mandate stands now: a signed note.
///
/// # Errors
/// See [`LeaseError`].
pub fn lease(view: &View<'_, '_>, mandate: &str, token: &str) -> Result<String, LeaseError> {
    if !view.signed.standing.speaks() {
        return Err(LeaseError::Silent);
    }
    let id: StixId = format!("x-entraide-mandate--{mandate}").parse().map_err(|_| LeaseError::Unknown)?;
    let newest = view.db.own_latest(view.me.log, &id)?.ok_or(LeaseError::Unknown)?;
    let name = EntryRef::of(&view.me.origin, newest.index);
    // Whoever made the token spoke for the nation, and gave the entity by it what its own mandate says.
    let viewer = Actor::machine().viewer(&view.me.origin);
    let case = query::assist::one(view, &viewer, name)?.into_inner().case;
    let (agreed, known) = found(&case, |known| known.mandate.common.id == id).ok_or(LeaseError::Unknown)?;
    let shown = token
        .strip_prefix(GATE_TOKEN_PREFIX)
        .and_then(|text| BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok())
        .map(|secret| Sha256::digest(&secret));
    let kept = known.mandate.gate.as_deref().and_then(model::bytes::unhex::<32>);
    let (Some(shown), Some(kept)) = (shown, kept) else { return Err(LeaseError::Unknown) };
    if !bool::from(shown.as_slice().ct_eq(&kept)) {
        return Err(LeaseError::Unknown);
    }
    let active = known.standing(agreed, view.now).may_act();
    let body = String::from_utf8(known.mandate.to_bytes()).map_err(|_| LeaseError::Unknown)?;
    let (origin, index) = (view.me.origin.clone(), known.place.index);
    let lease = Lease { origin, mandate: mandate.to_owned(), index, active, body };
    let text = lease.text();
    let seconds = u64::try_from(view.now.micros() / 1_000_000).unwrap_or(0);
    let lines = view.signer.cosign(&text, seconds)?;
    Ok(format!("{text}\n{lines}"))
}
