//! The answer page: a partner without a node answers a call for help by the link in its letter and a code that is told over
//! the telephone. The link opens nothing by itself; the code is good for one answer, for an hour, and bears five mistakes.
//!
//! Link and code are kept as hashes. Codes are hashed as passwords are, outside the writer: see [`Checked`].

use model::Citation;
use model::extension::assistance::RelayWay;
use policy::Released;
use sha2::{Digest, Sha256};
use store::{AnswerLinkRow, Face, LetterRow, PartnerRow, PartnerState, StoreError};

use super::letter::Letter;
use super::post::{self, Words};
use crate::account;
use crate::alert;
use crate::assist::relay::{self, Saying, Source, Written};
use crate::assist::{AssistError, Spoken};
use crate::guest;
use crate::limits;
use crate::partner::{self, PartnerError};
use crate::ports::random_bytes;
use crate::work::{View, Work};

/// Why nothing was opened or answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was said has no place.
    #[error(transparent)]
    Assist(#[from] AssistError),
    /// Which partner.
    #[error(transparent)]
    Partner(#[from] PartnerError),
    /// No such letter, or none with a link.
    #[error("there is no letter {0} with a link: list them with `entraide partner letters`")]
    NoLetter(i64),
    /// Wrong, used, or too old: one answer.
    #[error("the link or the code is wrong, was used, or its time is over")]
    Code,
}

/// Makes the link of a letter; an earlier one of the same letter opens nothing any more.
///
/// # Errors
/// The database.
pub(super) fn link(work: &mut Work<'_, '_>, letter: i64) -> Result<[u8; 16], StoreError> {
    let link: [u8; 16] = random_bytes(work.random);
    work.tx.put_answer_link(&AnswerLinkRow { letter, link: digest(&link), code: None, tries_left: 0 })?;
    Ok(link)
}

/// Gives the next code of a letter, to be told over the telephone.
///
/// # Errors
/// No such letter of that partner.
pub fn new_code(work: &mut Work<'_, '_>, name: &str, letter: i64, hash: &str) -> Result<LetterRow, AnswerError> {
    let partner = partner::find(work.tx, name)?;
    let row = work.tx.letter(letter)?.filter(|row| row.origin == partner.origin);
    let row = row.ok_or(AnswerError::NoLetter(letter))?;
    let link = work.tx.answer_link(letter)?.ok_or(AnswerError::NoLetter(letter))?;
    let expires = work.now.plus_seconds(limits::GUEST_CODE_SECONDS);
    let code = Some((hash.to_owned(), expires));
    work.tx.put_answer_link(&AnswerLinkRow { code, tries_left: limits::GUEST_TRIES, ..link })?;
    Ok(row)
}

/// Somebody at a link with a code: found, not yet compared.
#[derive(Clone)]
pub struct Candidate {
    letter: Option<i64>,
    hash: String,
}

/// The same once the code was compared.
#[derive(Clone)]
pub struct Checked {
    letter: Option<i64>,
    hash: String,
    matches: bool,
}

/// Finds what a link leads to. One that is unknown gives a candidate too: it takes as long and fails alike.
///
/// # Errors
/// The database.
pub fn candidate(view: &View<'_, '_>, link: &[u8; 16]) -> Result<Candidate, StoreError> {
    let row = view.db.answer_link_by(&digest(link))?;
    Ok(match row.and_then(|row| row.code.map(|(hash, _)| (row.letter, hash))) {
        Some((letter, hash)) => Candidate { letter: Some(letter), hash },
        None => Candidate { letter: None, hash: String::new() },
    })
}

impl Candidate {
    /// Compares the code. Slow on purpose: run it where blocking is allowed.
    #[must_use]
    pub fn check(self, code: &str) -> Checked {
        let known = self.letter.is_some();
        let against = if known { self.hash.as_str() } else { account::nobodys_hash() };
        let matches = account::password_matches(guest::digits(code).as_bytes(), against) && known;
        Checked { letter: self.letter, hash: self.hash, matches }
    }
}

/// The letter that a code opens now, or `None`: one answer whatever was wrong. A wrong code uses a try up.
fn opened(work: &Work<'_, '_>, checked: &Checked) -> Result<Option<(LetterRow, AnswerLinkRow)>, StoreError> {
    let link = checked.letter.map(|letter| work.tx.answer_link(letter)).transpose()?.flatten();
    let now = work.now;
    // Another request may have used the code, or its tries, since it was compared.
    let fresh = |row: &AnswerLinkRow| {
        row.code.as_ref().is_some_and(|(hash, until)| *hash == checked.hash && *until > now) && row.tries_left > 0
    };
    let Some(link) = link.filter(fresh) else {
        // A row is written as for a wrong code: the time of the answer must not tell whether the link is open.
        work.tx.set_setting("answer-refused", &now.to_string())?;
        return Ok(None);
    };
    if !checked.matches {
        work.tx.put_answer_link(&AnswerLinkRow { tries_left: link.tries_left - 1, ..link })?;
        return Ok(None);
    }
    let letter = work.tx.letter(link.letter)?;
    Ok(letter.map(|letter| (letter, link)))
}

fn partner_of(db: &store::Db<'_>, letter: &LetterRow) -> Result<Option<PartnerRow>, StoreError> {
    let log = db.log_id(&letter.origin)?;
    let partner = log.map(|log| db.partner(log)).transpose()?.flatten();
    Ok(partner.filter(|partner| partner.state == PartnerState::Active))
}

/// Opens the page: notes in the ledger that the partner reads it. `None` if the code opens nothing, and then a try is used.
///
/// # Errors
/// The database.
pub fn open(work: &mut Work<'_, '_>, checked: &Checked) -> Result<Option<LetterRow>, StoreError> {
    let Some((letter, _)) = opened(work, checked)? else { return Ok(None) };
    let who = format!("partner:{}", letter.origin);
    match crate::ledger::note_for(work, letter.statement, &who, Face::Guest) {
        Ok(()) => Ok(Some(letter)),
        Err(crate::query::objects::ObjectError::NotFound) => Ok(None),
        Err(crate::query::objects::ObjectError::Store(error)) => Err(error),
    }
}

/// What the page shows, through the gate: what the letter says too.
///
/// # Errors
/// The database.
pub fn shown(view: &View<'_, '_>, letter: &LetterRow) -> Result<Option<Released<Letter>>, StoreError> {
    let (Some(partner), Some(object)) = (partner_of(view.db, letter)?, view.db.object(letter.statement)?) else {
        return Ok(None);
    };
    post::released(view, &partner, &object, &Words::default())
}

/// Answers, and uses the code up. The answer is our word that the partner said it by this way. `Ok(None)` if the code opens
/// nothing.
///
/// # Errors
/// What was said has no place, or a field is out of its range; the code stays good then.
pub fn answer(
    work: &mut Work<'_, '_>,
    checked: &Checked,
    said_by: &str,
    saying: &Saying,
) -> Result<Option<Spoken>, AnswerError> {
    let Some((letter, link)) = opened(work, checked)? else { return Ok(None) };
    let partner = partner_of(work.tx, &letter)?.ok_or(AnswerError::Code)?;
    let object = work.tx.object(letter.statement)?.ok_or(AnswerError::Code)?;
    let place = Citation { origin: work.me.origin.clone(), index: object.index, commitment: object.commitment };
    let source = Source { partner: partner.origin.to_string(), said_by: said_by.to_owned(), said_at: None };
    let how = Written { way: RelayWay::Link, original: None, signed_with: None };
    let spoken = relay::written(work, &place, &source, saying, &how, "answer page")?;
    work.tx.put_answer_link(&AnswerLinkRow { code: None, tries_left: 0, ..link })?;
    let subject = format!("{} {}", partner.origin, spoken.appended.index);
    alert::answered_without_node(work, &partner.origin, subject, object.tlp)?;
    Ok(Some(spoken))
}

/// Where the page is.
#[must_use]
pub fn address(words: &Words, link: &[u8; 16]) -> Option<String> {
    let address = words.address.as_ref()?;
    Some(format!(
        "{}/answer/{}",
        address.trim_end_matches('/'),
        data_encoding::BASE32_NOPAD.encode(link).to_ascii_lowercase()
    ))
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
