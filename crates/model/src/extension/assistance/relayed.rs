//! `x-entraide-relayed`: what a partner without a node said, in the log of whoever asked it for help. It is our word that
//! they said it, and marked so everywhere; the partner gets it too, so that it can contradict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::agreement::AgreementStep;
use super::offer::{Answer, Offer, OfferLine};
use super::room::Sha256Digest;
use super::words::{Payer, WordError, words};
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;
use crate::origin::Origin;
use crate::time::Timestamp;

words! {
    /// By which way it was said.
    RelayWay {
        /// Over the telephone, and read back.
        Telephone = "telephone",
        /// On the answer page, with the code that its people had.
        Link = "link",
        /// By mail that its PGP key signed.
        PgpMail = "pgp-mail",
        /// By mail that its S/MIME certificate signed.
        SmimeMail = "smime-mail",
    }
}

/// An answer to a call for help, as the partner gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayedOffer {
    /// Yes, maybe, no, or taken back.
    pub answer: Answer,
    /// Whom to call: name and number.
    pub call: String,
    /// Who pays.
    pub payer: Payer,
    /// It may be accepted until then.
    pub valid_until: Timestamp,
    /// What else was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is offered, line by line; none unless the answer is yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<OfferLine>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayedWord {
    /// An answer to the cited version of the request.
    Offer(RelayedOffer),
    /// A step of a provider: it signs or declines the cited acceptance, has read the cited retraction, or ends.
    Agreement(AgreementStep),
}

/// One thing that a partner without a node said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// Type, id, owner, times. The owner is who took it down.
    #[serde(flatten)]
    pub common: Common,
    /// The name that stands for the partner in audiences.
    pub partner: Origin,
    /// Its name for people.
    pub partner_name: String,
    /// What it answers: a request, an acceptance, or a retraction.
    pub answers: Citation,
    /// By which way it was said.
    pub way: RelayWay,
    /// Who said it there.
    pub said_by: String,
    /// When it was said.
    pub said_at: Timestamp,
    /// Who took it down here.
    pub taken_by: String,
    /// When it was read back to whoever said it, who confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<Timestamp>,
    /// The SHA-256 of the bytes that came, if it was written. The bytes stay with who took it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Sha256Digest>,
    /// The fingerprint of the key that signed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_with: Option<String>,
    /// What was said.
    pub said: RelayedWord,
}

impl RelayedOffer {
    /// As an offer that answers `request`.
    #[must_use]
    pub fn to_offer(&self, common: &Common, request: &Citation) -> Offer {
        Offer {
            common: common.clone(),
            request: request.clone(),
            answer: self.answer,
            call: self.call.clone(),
            payer: self.payer,
            recall_hours: None,
            valid_until: self.valid_until,
            note: self.note.clone(),
            lines: self.lines.clone(),
        }
    }
}

impl Extension for Relayed {
    const KIND: &'static str = "x-entraide-relayed";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        for (property, value) in
            [("partner_name", &self.partner_name), ("said_by", &self.said_by), ("taken_by", &self.taken_by)]
        {
            super::text(property, value, limits::NAME_BYTES)?;
        }
        match (self.way, self.read_back, &self.original, &self.signed_with) {
            (RelayWay::Telephone, Some(_), None, None) | (RelayWay::Link, None, None, None) => {}
            (RelayWay::PgpMail | RelayWay::SmimeMail, _, Some(_), Some(hex)) if is_fingerprint(hex) => {}
            (RelayWay::Telephone, ..) => {
                return Err("what was said over the telephone has `read_back`, and no file".into());
            }
            (RelayWay::Link, ..) => {
                return Err("what was said on the answer page has no file and is not read back".into());
            }
            (RelayWay::PgpMail | RelayWay::SmimeMail, ..) => {
                return Err("what came by mail has `original` and `signed_with`, a fingerprint".into());
            }
        }
        match &self.said {
            RelayedWord::Offer(offer) => {
                if offer.lines.iter().any(|line| !line.draws.is_empty()) {
                    return Err("`draws` are of a log, and the partner has none".into());
                }
                offer.to_offer(&self.common, &self.answers).validate()
            }
            RelayedWord::Agreement(step) => match step {
                AgreementStep::Decline { reason } | AgreementStep::End { reason, .. } => {
                    super::optional("reason", reason.as_ref())
                }
                AgreementStep::Countersign | AgreementStep::Acknowledge => Ok(()),
                AgreementStep::Accept { .. } | AgreementStep::Retract { .. } => {
                    Err("this step is that of whoever asks for help, who has a log".into())
                }
            },
        }
    }
}

fn is_fingerprint(hex: &str) -> bool {
    matches!(hex.len(), 40 | 64) && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Commitment, Index};

    fn place() -> Citation {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        Citation { origin, index: Index(7), commitment: Commitment::new([7; 32]) }
    }

    fn by_telephone(said: RelayedWord) -> Relayed {
        let at = Timestamp::from_seconds(1_790_000_000);
        Relayed {
            common: Common::new(Relayed::KIND, [1; 16], &place().origin, at).unwrap(),
            partner: "entraide/MD/REAL/aaaaaaaaaaaaaaaa".parse().unwrap(),
            partner_name: "CERT-MD".to_owned(),
            answers: place(),
            way: RelayWay::Telephone,
            said_by: "I. Popescu".to_owned(),
            said_at: at,
            taken_by: "anna".to_owned(),
            read_back: Some(at),
            original: None,
            signed_with: None,
            said,
        }
    }

    #[test]
    fn what_was_relayed_reads_back_and_says_how_it_came() {
        let maybe = RelayedOffer {
            answer: Answer::Maybe,
            call: "+373 1".to_owned(),
            payer: Payer::Provider,
            valid_until: Timestamp::from_seconds(1_790_003_600),
            note: None,
            lines: Vec::new(),
        };
        let good = by_telephone(RelayedWord::Offer(maybe.clone()));
        assert_eq!(Relayed::read(&good.to_bytes()).unwrap(), good);
        let sign = by_telephone(RelayedWord::Agreement(AgreementStep::Countersign));
        assert_eq!(Relayed::read(&sign.to_bytes()).unwrap(), sign);
        let print = Some("0123456789ABCDEF0123456789ABCDEF01234567".to_owned());
        let digest = Some(Sha256Digest::new([0xab; 32]));
        let mail = Relayed {
            way: RelayWay::PgpMail,
            read_back: None,
            original: digest,
            signed_with: print.clone(),
            ..good.clone()
        };
        let check = |one: Relayed, says: &str| match Relayed::read(&one.to_bytes()) {
            Ok(_) => assert_eq!(says, ""),
            Err(error) => assert!(!says.is_empty() && error.to_string().contains(says), "{error}"),
        };
        check(mail.clone(), "");
        check(Relayed { signed_with: None, ..mail.clone() }, "`signed_with`");
        check(Relayed { signed_with: Some("0x".to_owned()), ..mail }, "`signed_with`");
        check(Relayed { read_back: None, ..good.clone() }, "`read_back`");
        check(Relayed { signed_with: print, ..good.clone() }, "no file");
        check(Relayed { said_by: " ".to_owned(), ..good.clone() }, "`said_by`");
        check(by_telephone(RelayedWord::Agreement(AgreementStep::Retract { reason: None })), "whoever asks");
        let yes = RelayedOffer { answer: Answer::Yes, ..maybe };
        check(by_telephone(RelayedWord::Offer(yes)), "`lines`");
    }
}
