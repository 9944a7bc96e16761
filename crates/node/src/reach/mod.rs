//! Partners without a node (architecture §4): who they are, where they are reached, and with which key mail for them is
//! encrypted.
//!
//! Such a partner has a name in audiences like every other, so that the one gate decides about it too; nothing is asked of
//! a node of it, and nobody can speak under that name. Until a person has called it and compared the key's fingerprint, it
//! gets nothing.

pub mod answer;
pub mod letter;
pub mod mailbox;
pub mod post;

use model::duty::{is_mail, is_telephone};
use model::{Country, Origin, PartnerClass, Reach, RootId, limits};
use sha2::{Digest, Sha256};
use store::{Db, PartnerRow, PartnerState, ReachedRow, StoreError};

use crate::actor::Actor;
use crate::partner::{self, PartnerError};
use crate::ports::random_bytes;
use crate::work::Work;

/// Why a partner without a node was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The database, or which partner.
    #[error(transparent)]
    Partner(#[from] PartnerError),
    /// Its name.
    #[error("a partner's name has 1 to 200 bytes without control characters: write it anew")]
    Name,
    /// The name is taken.
    #[error("there is a partner `{0}` of that country already: change how it is reached instead")]
    Taken(String),
    /// A way that is not for hand.
    #[error("`{0}` is not a way to somebody without a node: choose mail+pgp, mail+smime or phone")]
    Way(Reach),
    /// No mail address.
    #[error("`{0}` is not a mail address: write one such as cert@cert.example")]
    Mail(String),
    /// No number.
    #[error("`{0}` is not a number: write it as +373 22 123456, so that it can be called from anywhere")]
    Telephone(String),
    /// A way by mail without an address.
    #[error("say at which mail address it is reached")]
    NoMail,
    /// A key without a way that uses it.
    #[error("a key is for mail: choose mail+pgp or mail+smime")]
    NoUse,
    /// It has a node.
    #[error("`{0}` has a node: its own identity says how it is reached")]
    HasNode(Origin),
    /// Too many.
    #[error("there are {} partners without a node already: cut those that are gone", crate::limits::REACHED)]
    TooMany,
}

impl From<StoreError> for ReachError {
    fn from(error: StoreError) -> Self {
        Self::Partner(error.into())
    }
}

/// A public key or certificate of a partner, read by the program that encrypts with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerKey {
    /// As it was given.
    pub bytes: Vec<u8>,
    /// What people compare: hexadecimal digits.
    pub fingerprint: String,
}

/// How somebody is reached.
#[derive(Debug, Clone)]
pub struct Ways {
    /// By which way statements go out.
    pub reach: Reach,
    /// The mail address.
    pub mail: Option<String>,
    /// The number, at any hour.
    pub telephone: String,
    /// The key. Without one a mail says that there is something, and nothing else.
    pub key: Option<PartnerKey>,
}

/// A partner without a node that is not there yet.
#[derive(Debug, Clone)]
pub struct NewPartner {
    /// Its country.
    pub country: Country,
    /// Its name for people.
    pub name: String,
    /// What it is to us.
    pub class: PartnerClass,
    /// How it is reached.
    pub ways: Ways,
}

/// Adds a partner without a node. It gets nothing before a person has called it and confirms it.
///
/// # Errors
/// A field that can't be, or a name that is taken.
pub fn add(work: &mut Work<'_, '_>, new: &NewPartner, by: &Actor) -> Result<PartnerRow, ReachError> {
    let name = &new.name;
    if name.is_empty() || name.len() > limits::NAME_BYTES || name.chars().any(char::is_control) {
        return Err(ReachError::Name);
    }
    check(&new.ways)?;
    let known = work.tx.partners_of_any_reach()?;
    if known.iter().any(|row| row.origin.country() == new.country && row.name == *name) {
        return Err(ReachError::Taken(name.clone()));
    }
    if known.iter().filter(|row| row.reach != Reach::Node).count() >= crate::limits::REACHED {
        return Err(ReachError::TooMany);
    }
    let origin = Origin::new(new.country, work.me.realm().clone(), stand_in(random_bytes(work.random)));
    let row = PartnerRow {
        log: work.tx.ensure_log(&origin)?,
        origin,
        name: name.clone(),
        class: new.class,
        reach: new.ways.reach,
        state: PartnerState::AwaitingConfirmation,
        identity: Vec::new(),
        identity_version: 0,
        pins: Vec::new(),
        log_key: [0; 32],
        address: address(&new.ways),
        words: words(&new.ways),
        since: work.now,
        held_reason: None,
        workflow_cursor: None,
        intelligence_cursor: None,
        heard: None,
    };
    put(work, row, &new.ways, by)
}

/// Changes how a partner without a node is reached. Another key or way waits for a call again.
///
/// # Errors
/// Not there, it has a node, or a field that can't be.
pub fn change(work: &mut Work<'_, '_>, name: &str, ways: &Ways, by: &Actor) -> Result<PartnerRow, ReachError> {
    let row = partner::find(work.tx, name)?;
    let before = of(work.tx, &row)?;
    check(ways)?;
    let same_key = before.key.as_ref().map(|(_, known)| known) == ways.key.as_ref().map(|key| &key.fingerprint);
    let same = same_key && row.reach == ways.reach && before.mail == ways.mail;
    let confirmed = matches!(row.state, PartnerState::Active | PartnerState::Held);
    let state = if confirmed && !same { PartnerState::AwaitingConfirmation } else { row.state };
    let row = PartnerRow { reach: ways.reach, state, address: address(ways), words: words(ways), ..row };
    put(work, row, ways, by)
}

fn put(work: &Work<'_, '_>, row: PartnerRow, ways: &Ways, by: &Actor) -> Result<PartnerRow, ReachError> {
    work.tx.put_partner(&row)?;
    work.tx.put_reached(&ReachedRow {
        origin: row.origin.clone(),
        mail: ways.mail.clone(),
        telephone: ways.telephone.clone(),
        key: ways.key.as_ref().map(|key| (key.bytes.clone(), key.fingerprint.clone())),
        changed: work.now,
        changed_by: by.login.clone(),
    })?;
    Ok(row)
}

/// How a partner without a node is reached.
///
/// # Errors
/// It has a node.
pub fn of(db: &Db<'_>, row: &PartnerRow) -> Result<ReachedRow, ReachError> {
    if row.reach == Reach::Node {
        return Err(ReachError::HasNode(row.origin.clone()));
    }
    let missing = || StoreError::Corrupt { what: format!("how `{}` is reached is not there", row.origin) };
    Ok(db.reached(&row.origin)?.ok_or_else(missing)?)
}

fn check(ways: &Ways) -> Result<(), ReachError> {
    let shown = |text: &str| text.chars().take(60).collect::<String>();
    if let Some(mail) = ways.mail.as_deref().filter(|mail| !is_mail(mail)) {
        return Err(ReachError::Mail(shown(mail)));
    }
    if !is_telephone(&ways.telephone) {
        return Err(ReachError::Telephone(shown(&ways.telephone)));
    }
    match (ways.reach, &ways.mail, &ways.key) {
        (Reach::Node | Reach::Misp | Reach::Taxii, ..) => Err(ReachError::Way(ways.reach)),
        (Reach::MailPgp | Reach::MailSmime, None, _) => Err(ReachError::NoMail),
        (Reach::Phone, _, Some(_)) => Err(ReachError::NoUse),
        (Reach::MailPgp | Reach::MailSmime, Some(_), _) | (Reach::Phone, _, None) => Ok(()),
    }
}

/// The name under which it stands in audiences: made by chance, so that nobody has a root key for it.
fn stand_in(random: [u8; 32]) -> RootId {
    let digest: [u8; 32] = Sha256::new().chain_update(b"entraide/reached/v1").chain_update(random).finalize().into();
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    RootId::new(id)
}

fn address(ways: &Ways) -> String {
    ways.mail.clone().unwrap_or_else(|| ways.telephone.clone())
}

/// What people read to each other: the fingerprint in groups of four.
fn words(ways: &Ways) -> Option<String> {
    let fingerprint = &ways.key.as_ref()?.fingerprint;
    let letters: Vec<char> = fingerprint.chars().filter(char::is_ascii_hexdigit).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Some(groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(reach: Reach, mail: Option<&str>, telephone: &str, key: bool) -> Ways {
        let key = key.then(|| PartnerKey { bytes: vec![1], fingerprint: "ABCDEF0123456789".to_owned() });
        Ways { reach, mail: mail.map(str::to_owned), telephone: telephone.to_owned(), key }
    }

    #[test]
    fn ways_that_cannot_be_meant_are_refused() {
        let (mail, call) = (Some("cert@cert.example"), "+373 22 123456");
        let check = |ways: Ways, says: &str| match super::check(&ways) {
            Ok(()) => assert_eq!(says, ""),
            Err(error) => assert!(!says.is_empty() && error.to_string().contains(says), "{error}"),
        };
        check(ways(Reach::MailPgp, mail, call, true), "");
        check(ways(Reach::MailSmime, mail, call, false), "");
        check(ways(Reach::Phone, None, call, false), "");
        check(ways(Reach::Phone, mail, call, true), "a key is for mail");
        check(ways(Reach::MailPgp, None, call, true), "say at which mail address");
        check(ways(Reach::Node, mail, call, false), "is not a way");
        check(ways(Reach::Taxii, mail, call, false), "is not a way");
        check(ways(Reach::MailPgp, Some("a\r\nBcc: b@x"), call, false), "is not a mail address");
        check(ways(Reach::Phone, None, "022", false), "is not a number");
    }

    #[test]
    fn a_fingerprint_is_read_in_groups() {
        assert_eq!(words(&ways(Reach::MailPgp, None, "", true)).as_deref(), Some("ABCD EF01 2345 6789"));
        assert_eq!(words(&ways(Reach::Phone, None, "", false)), None);
    }
}
