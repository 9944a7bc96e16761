//! The duty roster: whom the node can wake, how each is reached, and who has which post when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::extension::assistance::request::is_language;
use crate::extension::assistance::words::{WordError, words};
use crate::limits;
use crate::time::Timestamp;

words! {
    /// For what somebody is on duty.
    Post {
        /// The duty officer.
        Duty = "duty",
        /// Stands by, and comes when called.
        OnCall = "on-call",
        /// Takes the duty officer's place.
        Deputy = "deputy",
        /// The crisis officer.
        Crisis = "crisis",
    }
}

/// The short name of a person in the roster: 2 to 32 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// Why something of the roster was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DutyError {
    /// Not a short name.
    #[error(
        "`{0}` is not a short name: write 2 to 32 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter"
    )]
    Handle(String),
    /// Not a name for people.
    #[error("a name has 1 to 200 bytes without control characters: write it anew")]
    Name,
    /// Not a telephone number.
    #[error("`{0}` is not a telephone number: write it with its country, such as +33 1 23 45 67 89")]
    Telephone(String),
    /// Not an address.
    #[error("`{0}` is not a mail address: write one such as anna@cert.example")]
    Mail(String),
    /// Not languages.
    #[error("languages are at most 24 tags such as `fr`: write them anew")]
    Languages,
    /// It ends before it begins, or never.
    #[error("a shift ends after it begins, and within 31 days: write its times anew")]
    Times,
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

impl FromStr for Handle {
    type Err = DutyError;
    fn from_str(text: &str) -> Result<Self, DutyError> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        let good =
            (2..=32).contains(&text.len()) && text.as_bytes()[0].is_ascii_lowercase() && text.bytes().all(letter);
        if good { Ok(Self(text.to_owned())) } else { Err(DutyError::Handle(shown(text))) }
    }
}
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Handle {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Somebody whom the node can wake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// The short name.
    pub person: Handle,
    /// The name for people.
    pub name: String,
    /// The number that is called at any hour.
    pub telephone: String,
    /// Where mail is read at any hour.
    pub mail: Option<String>,
    /// Languages that the person speaks, as BCP 47 tags.
    pub languages: Vec<String>,
    /// The account under which the person logs in.
    pub login: Option<String>,
}

impl fmt::Debug for Contact {
    // Numbers of people never reach a log by way of a debug print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").field("person", &self.person).finish_non_exhaustive()
    }
}

impl Contact {
    /// The same if every field is within its range.
    ///
    /// # Errors
    /// A field is not.
    pub fn checked(self) -> Result<Self, DutyError> {
        let name = &self.name;
        if name.is_empty() || name.len() > limits::NAME_BYTES || name.chars().any(char::is_control) {
            return Err(DutyError::Name);
        }
        if !is_telephone(&self.telephone) {
            return Err(DutyError::Telephone(shown(&self.telephone)));
        }
        if let Some(mail) = self.mail.as_deref().filter(|mail| !is_mail(mail)) {
            return Err(DutyError::Mail(shown(mail)));
        }
        if let Some(login) = &self.login {
            login.parse::<Handle>()?;
        }
        if self.languages.len() > limits::LANGUAGES || !self.languages.iter().all(|tag| is_language(tag)) {
            return Err(DutyError::Languages);
        }
        Ok(self)
    }
}

/// `+` and 5 to 18 digits, with spaces, dots, hyphens and brackets between them.
#[must_use]
pub fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let between = |b: u8| b.is_ascii_digit() || matches!(b, b' ' | b'.' | b'-' | b'(' | b')');
    text.len() <= limits::TELEPHONE_BYTES
        && (5..=18).contains(&digits)
        && text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(between))
}

/// Letters without white space, one `@` between them; no quoted names (RFC 5321 §4.1.2 allows them, nobody has one).
#[must_use]
pub fn is_mail(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&b);
    let host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    text.len() <= limits::MAIL_BYTES
        && text.split_once('@').is_some_and(|(name, at)| {
            let whole = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.');
            whole(name) && whole(at) && name.bytes().all(letter) && at.bytes().all(host) && !text.contains("..")
        })
}

/// One shift: who has which post from when until when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Shift {
    /// For what.
    pub post: Post,
    /// From then on.
    pub from: Timestamp,
    /// Until then, and not at that moment any more.
    pub until: Timestamp,
    /// Who.
    pub person: Handle,
}

impl Shift {
    /// A shift with times in their order.
    ///
    /// # Errors
    /// It ends before it begins, or lasts more than [`limits::SHIFT_SECONDS`].
    pub fn new(person: Handle, post: Post, from: Timestamp, until: Timestamp) -> Result<Self, DutyError> {
        if until <= from || until > from.plus_seconds(limits::SHIFT_SECONDS) {
            return Err(DutyError::Times);
        }
        Ok(Self { post, from, until, person })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_a_person_is_checked() {
        let base = || Contact {
            person: "anna".parse().unwrap(),
            name: "Anna".to_owned(),
            telephone: "+33 1 23 45 67 89".to_owned(),
            mail: Some("anna@cert.example".to_owned()),
            languages: vec!["fr".to_owned(), "en".to_owned()],
            login: Some("anna".to_owned()),
        };
        let check = |contact: Contact, good: bool| assert_eq!(contact.checked().is_ok(), good);
        check(base(), true);
        check(Contact { mail: None, login: None, languages: Vec::new(), ..base() }, true);
        for telephone in ["", "0123", "+1", "+33 1\n2 3456", "+12345678901234567890", "+33 CALL ME 12345"] {
            check(Contact { telephone: telephone.to_owned(), ..base() }, false);
        }
        for mail in ["anna", "@x", "a@", "a b@x", "a@x\r\nRCPT TO:<b@y>", "a@@x", "a..b@x", "é@x"] {
            check(Contact { mail: Some(mail.to_owned()), ..base() }, false);
        }
        check(Contact { languages: vec!["french language".to_owned()], ..base() }, false);
        check(Contact { name: "a\u{7}".to_owned(), ..base() }, false);
        assert!(!format!("{:?}", base()).contains("+33"));
        for handle in ["", "a", "Anna", "1x", "a b", "anna\n"] {
            assert!(handle.parse::<Handle>().is_err(), "{handle}");
        }
    }

    #[test]
    fn a_shift_goes_forward_and_ends() {
        let at = Timestamp::from_seconds;
        let check = |until: i64, good: bool| {
            let made = Shift::new("anna".parse().unwrap(), Post::Duty, at(0), at(until));
            assert_eq!(made.is_ok(), good, "{until}");
        };
        check(1, true);
        check(0, false);
        check(-1, false);
        check(limits::SHIFT_SECONDS, true);
        check(limits::SHIFT_SECONDS + 1, false);
    }
}
