//! The case room: what the two parties of a case say to each other while they work on it. `x-entraide-case-note` is a
//! short message; `x-entraide-artefact` is a piece of evidence, which itself stays outside the log;
//! `x-entraide-custody` says who had it, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::{WordError, words};
use crate::age::AgeRecipient;
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;
use crate::origin::Origin;
use crate::time::Timestamp;

crate::hex_newtype!(
    /// SHA-256 of something.
    Sha256Digest,
    32
);

/// A short message in a case, to the other party alone. It is shown as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// A version of the call for help that it is about.
    pub case: Citation,
    /// To whom.
    pub to: Origin,
    /// What is said.
    pub text: String,
}

impl Extension for Note {
    const KIND: &'static str = "x-entraide-case-note";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("text", &self.text, limits::TEXT_BYTES)
    }
}

words! {
    /// What a piece of evidence is.
    ArtefactKind {
        /// A copy of a disk or a part of one.
        DiskImage = "disk-image",
        /// A copy of a machine's memory.
        MemoryImage = "memory-image",
        /// Logs.
        Logs = "logs",
        /// Captured traffic.
        NetworkCapture = "network-capture",
        /// A malicious program.
        MalwareSample = "malware-sample",
        /// What helpers found.
        Findings = "findings",
        /// A document.
        Document = "document",
        /// Anything else.
        Other = "other",
    }
}

/// How a piece of evidence gets to the other party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "way")]
pub enum Way {
    /// Sealed with age at its sender's, and fetched from its owner's node piece by piece.
    Sealed {
        /// Bytes of the sealed file.
        sealed_size: u64,
        /// SHA-256 of the sealed file.
        sealed_sha256: Sha256Digest,
        /// Root over the digests of its pieces (`journal::pieces`): every piece is checked by itself against it.
        pieces: Sha256Digest,
        /// To whom it is sealed: nobody else opens it, neither node either.
        recipients: Vec<AgeRecipient>,
    },
    /// On a disk, by courier.
    Courier {
        /// The numbers of the seals on it.
        seals: Vec<String>,
        /// Who carries it.
        carrier: String,
        /// Who handed it over.
        from: String,
        /// To whom it goes.
        to: String,
        /// When it was handed over.
        handed_over: Timestamp,
    },
}

/// A piece of evidence. It is outside the log; what it is stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// The acceptance under which it is given.
    pub agreement: Citation,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// Bytes of the evidence itself.
    pub size: u64,
    /// SHA-256 of the evidence itself, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// How it gets there.
    #[serde(flatten)]
    pub way: Way,
    /// Who wrote it down.
    pub added_by: String,
    /// It is destroyed by then, unless the law wants it kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroy_by: Option<Timestamp>,
    /// Is it, or does it hold, a malicious program?
    pub malware: bool,
    /// Does it hold personal data?
    pub personal_data: bool,
    /// Does a court or prosecutor want it kept? Then nobody destroys it until the owner says that this is lifted.
    pub judicial_hold: bool,
}

impl Extension for Artefact {
    const KIND: &'static str = "x-entraide-artefact";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        line("name", &self.name)?;
        line("added_by", &self.added_by)?;
        if self.size == 0 {
            return Err("`size` is the number of bytes on it, at least 1".to_owned());
        }
        match &self.way {
            Way::Sealed { sealed_size, recipients, sealed_sha256: _, pieces: _ } => {
                if *sealed_size <= self.size {
                    return Err("`sealed_size` is larger than `size`: sealing adds to a file".to_owned());
                }
                if *sealed_size > limits::SEALED_BYTES {
                    let most = limits::SEALED_BYTES;
                    return Err(format!(
                        "a sealed file has at most {most} bytes: what is larger goes on a disk by courier"
                    ));
                }
                if recipients.is_empty() || recipients.len() > limits::ARTEFACT_RECIPIENTS {
                    return Err(format!("`recipients`: name 1 to {}", limits::ARTEFACT_RECIPIENTS));
                }
                Ok(())
            }
            Way::Courier { seals, carrier, from, to, handed_over: _ } => {
                if seals.is_empty() {
                    return Err("`seals`: a disk travels under at least one seal".to_owned());
                }
                sealed(seals)?;
                line("carrier", carrier)?;
                line("from", from)?;
                line("to", to)
            }
        }
    }
}

fn sealed(seals: &[String]) -> Result<(), String> {
    if seals.len() > limits::SEALS {
        return Err(format!("`seals` has at most {} numbers", limits::SEALS));
    }
    seals.iter().try_for_each(|seal| line("seals", seal))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(is: &bool) -> bool {
    !*is
}

/// One line for people.
fn line(property: &str, text: &str) -> Result<(), String> {
    if text.contains('\n') {
        return Err(format!("`{property}` is one line"));
    }
    super::text(property, text, limits::NAME_BYTES)
}

/// What was done with a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum CustodyAct {
    /// Its owner's node gave the sealed bytes to the other party's node.
    HandedOut,
    /// Somebody took the sealed file out of the node of the party that says so.
    Fetched,
    /// It was given to somebody else at the same party, or to a helper.
    Passed {
        /// To whom.
        to: String,
    },
    /// A courier's disk came.
    Delivered {
        /// The numbers on the seals as they came.
        seals: Vec<String>,
        /// Were they whole?
        intact: bool,
    },
    /// It went back to its owner; no copy is left.
    Returned {
        /// To whom.
        to: String,
        /// Did the node delete its sealed bytes before it said so?
        #[serde(default, skip_serializing_if = "is_false")]
        deleted: bool,
    },
    /// It was destroyed; no copy is left.
    Destroyed {
        /// How.
        method: String,
        /// Did the node delete its sealed bytes before it said so?
        #[serde(default, skip_serializing_if = "is_false")]
        deleted: bool,
    },
    /// The owner says that no court or prosecutor wants it kept any longer.
    HoldLifted,
}

impl CustodyAct {
    /// The word for people.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::HandedOut => "handed out",
            Self::Fetched => "fetched",
            Self::Passed { .. } => "passed",
            Self::Delivered { .. } => "delivered",
            Self::Returned { .. } => "returned",
            Self::Destroyed { .. } => "destroyed",
            Self::HoldLifted => "hold lifted",
        }
    }
}

/// A link of the chain of custody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// Of which piece of evidence.
    pub artefact: Citation,
    /// What was done.
    #[serde(flatten)]
    pub act: CustodyAct,
    /// Who did it.
    pub by: String,
    /// What else is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Extension for Custody {
    const KIND: &'static str = "x-entraide-custody";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        line("by", &self.by)?;
        super::optional("note", self.note.as_ref())?;
        match &self.act {
            CustodyAct::HandedOut | CustodyAct::Fetched | CustodyAct::HoldLifted => Ok(()),
            CustodyAct::Passed { to } | CustodyAct::Returned { to, deleted: _ } => line("to", to),
            CustodyAct::Destroyed { method, deleted: _ } => line("method", method),
            CustodyAct::Delivered { seals, intact: _ } => sealed(seals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Citation {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        Citation { origin, index: crate::Index(3), commitment: crate::Commitment::new([7; 32]) }
    }

    fn common(kind: &str) -> Common {
        Common::new(kind, [1; 16], &place().origin, Timestamp::from_micros(0)).unwrap()
    }

    fn courier(seals: &[&str]) -> Way {
        Way::Courier {
            seals: seals.iter().map(|seal| (*seal).to_owned()).collect(),
            carrier: "courier".to_owned(),
            from: "CERT-FR".to_owned(),
            to: "CERT-EE".to_owned(),
            handed_over: Timestamp::from_micros(0),
        }
    }

    fn artefact(way: Way) -> Artefact {
        Artefact {
            common: common(Artefact::KIND),
            agreement: place(),
            name: "image of the mail server".to_owned(),
            kind: ArtefactKind::DiskImage,
            size: 200,
            sha256: Some(Sha256Digest::new([1; 32])),
            way,
            added_by: "anna".to_owned(),
            destroy_by: None,
            malware: true,
            personal_data: true,
            judicial_hold: false,
        }
    }

    fn sealed_file(sealed_size: u64, recipients: usize) -> Way {
        Way::Sealed {
            sealed_size,
            sealed_sha256: Sha256Digest::new([3; 32]),
            pieces: Sha256Digest::new([2; 32]),
            recipients: vec![AgeRecipient::new([9; 32]); recipients],
        }
    }

    #[test]
    fn the_words_of_a_case_room_read_back_as_they_were_written() {
        for way in [courier(&["A 1", "A 2"]), sealed_file(400, 2)] {
            let said = artefact(way);
            assert_eq!(Artefact::read(&said.to_bytes()).unwrap(), said);
        }
        let note = Note { common: common(Note::KIND), case: place(), to: place().origin, text: "a\nb".to_owned() };
        assert_eq!(Note::read(&note.to_bytes()).unwrap(), note);
        for act in [
            CustodyAct::HoldLifted,
            CustodyAct::Passed { to: "prosecutor".to_owned() },
            CustodyAct::Delivered { seals: vec!["A 1".to_owned()], intact: false },
            CustodyAct::Destroyed { method: "overwritten".to_owned(), deleted: false },
            CustodyAct::Returned { to: "CERT-FR".to_owned(), deleted: true },
            CustodyAct::HandedOut,
            CustodyAct::Fetched,
        ] {
            let said =
                Custody { common: common(Custody::KIND), artefact: place(), act, by: "x".to_owned(), note: None };
            assert_eq!(Custody::read(&said.to_bytes()).unwrap(), said);
        }
    }

    #[test]
    fn evidence_that_cannot_be_meant_is_refused() {
        let check = |said: Artefact, says: &str| {
            let refused = said.validate().unwrap_err();
            assert!(refused.contains(says), "{refused}");
        };
        let good = || artefact(courier(&["A 1"]));
        good().validate().unwrap();
        check(Artefact { name: "a\nb".to_owned(), ..good() }, "one line");
        check(Artefact { size: 0, ..good() }, "at least 1");
        check(artefact(courier(&[])), "at least one seal");
        artefact(sealed_file(400, 1)).validate().unwrap();
        check(artefact(sealed_file(200, 1)), "larger than `size`");
        check(artefact(sealed_file(limits::SEALED_BYTES + 1, 1)), "by courier");
        check(artefact(sealed_file(400, 0)), "1 to 20");
        check(artefact(sealed_file(400, 21)), "1 to 20");
        check(artefact(courier(&["x"; 21])), "at most 20");
        check(artefact(courier(&[""])), "`seals`");
        let bytes = String::from_utf8(good().to_bytes()).unwrap();
        assert!(Artefact::read(bytes.replace("courier\",\"seals", "pigeon\",\"seals").as_bytes()).is_err(), "{bytes}");
    }
}
