//! `x-entraide-reserve-dossier`: our request to the EU Cybersecurity Reserve (Reg. (EU) 2025/38 Arts 14–16), kept for
//! ourselves alone. It goes to ENISA outside, through the single point of contact; what was done is noted here, with proof.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::room::Sha256Digest;
use super::words::{WordError, words};
use crate::extension::{Common, Extension};
use crate::ids::Citation;
use crate::limits;
use crate::time::Timestamp;

words! {
    /// Who asks (Art 14(3)). An affected company never does.
    ReserveUser {
        /// A state's crisis authority or CSIRT.
        State = "state",
        /// CERT-EU, for a Union entity.
        CertEu = "cert-eu",
        /// An authority of a third country that is associated.
        ThirdCountry = "third-country",
    }
}

words! {
    /// What the incident is (Art 15(1)).
    IncidentScale {
        /// Significant (NIS2 Art 23(3)).
        Significant = "significant",
        /// Large-scale (NIS2 Art 6(7)).
        LargeScale = "large-scale",
        /// Equivalent to large-scale (Art 2(13)).
        Equivalent = "large-scale-equivalent",
    }
}

words! {
    /// What was done last with a dossier.
    ReserveStep {
        /// It is being written.
        Draft = "draft",
        /// The single point of contact has it (Art 15(3)).
        AtContactPoint = "at-contact-point",
        /// ENISA has it.
        Submitted = "submitted",
        /// ENISA looks whether it may be granted at all (Art 15(1)(2)).
        Eligibility = "eligibility",
        /// It was weighed (Art 16(3)).
        Assessed = "assessed",
        /// It waits for capacity.
        Queued = "queued",
        /// Support is given.
        Granted = "granted",
        /// It is not.
        Refused = "refused",
        /// User and provider have agreed (Art 16(5)).
        Agreement = "agreement",
        /// The provider is at work.
        Deployed = "deployed",
        /// The support has ended.
        Ended = "ended",
        /// The report went out (Art 16(9)).
        Reported = "reported",
        /// We asked no more.
        Withdrawn = "withdrawn",
    }
}

/// A file that shows that a step was taken outside: an acknowledgement, a decision, a report's receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepProof {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// The file itself, in Base64.
    pub content: String,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReserveTaken {
    /// Which.
    pub step: ReserveStep,
    /// When, outside.
    pub at: Timestamp,
    /// Who noted it.
    pub by: String,
    /// What else is to be said: duration and nature of what was granted, why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<StepProof>,
}

/// One version of a dossier. What Art 15(5) wants to know is filled in as it becomes known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// Its number for people, such as `FR-RES-2026-001`.
    pub number: String,
    /// One line: what it is about. As STIX calls the title of an object.
    #[serde(rename = "name")]
    pub title: String,
    /// Who asks.
    pub user: ReserveUser,
    /// Our call for help on the other path, to partners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Citation>,
    /// The single point of contact: name and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_point: Option<String>,
    /// What the incident is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<IncidentScale>,
    /// The affected entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Potential impact: states and users, and what may spill over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// The service that is requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What it is to be used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_use: Option<String>,
    /// How much is needed, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// What was done already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<String>,
    /// What other support there is: contracts for response, insurance, partners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_support: Option<String>,
    /// What was done with it, in order; never empty.
    pub steps: Vec<ReserveTaken>,
}

impl Dossier {
    /// Where it stands.
    #[must_use]
    pub fn step(&self) -> ReserveStep {
        self.steps.last().map_or(ReserveStep::Draft, |taken| taken.step)
    }

    /// When a step was taken last.
    #[must_use]
    pub fn taken(&self, step: ReserveStep) -> Option<Timestamp> {
        self.steps.iter().rev().find(|taken| taken.step == step).map(|taken| taken.at)
    }

    /// The same without what somebody wrote: steps and clocks remain.
    #[must_use]
    pub fn without_words(&self, purged: &str) -> Self {
        let step =
            |taken: &ReserveTaken| ReserveTaken { by: purged.to_owned(), note: None, proof: None, ..taken.clone() };
        Self {
            common: self.common.without_words(),
            title: purged.to_owned(),
            contact_point: None,
            entity: None,
            impact: None,
            service: None,
            planned_use: None,
            needs: None,
            mitigation: None,
            other_support: None,
            steps: self.steps.iter().map(step).collect(),
            ..self.clone()
        }
    }
}

impl Extension for Dossier {
    const KIND: &'static str = "x-entraide-reserve-dossier";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        super::text("number", &self.number, limits::NAME_BYTES)?;
        super::text("name", &self.title, limits::NAME_BYTES)?;
        if let Some(who) = &self.contact_point {
            super::text("contact_point", who, limits::NAME_BYTES)?;
        }
        for (name, value) in [
            ("entity", &self.entity),
            ("impact", &self.impact),
            ("service", &self.service),
            ("planned_use", &self.planned_use),
            ("needs", &self.needs),
            ("mitigation", &self.mitigation),
            ("other_support", &self.other_support),
        ] {
            super::optional(name, value.as_ref())?;
        }
        if self.steps.is_empty() || self.steps.len() > limits::RESERVE_STEPS {
            return Err(format!("`steps` are 1 to {}", limits::RESERVE_STEPS));
        }
        self.steps.iter().try_for_each(|taken| {
            super::text("by", &taken.by, limits::NAME_BYTES)?;
            super::optional("note", taken.note.as_ref())?;
            let Some(proof) = &taken.proof else { return Ok(()) };
            super::text("proof", &proof.name, limits::NAME_BYTES)?;
            if proof.size == 0 || proof.size > limits::PROOF_BYTES {
                return Err(format!("a proof has 1 to {} bytes", limits::PROOF_BYTES));
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dossier() -> Dossier {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let at = Timestamp::from_micros(0);
        let proof = StepProof {
            name: "receipt.pdf".to_owned(),
            size: 3,
            sha256: Sha256Digest::new([1; 32]),
            content: "c2Vj".to_owned(),
        };
        let taken = ReserveTaken {
            step: ReserveStep::Submitted,
            at,
            by: "secret".to_owned(),
            note: Some("secret".to_owned()),
            proof: Some(proof),
        };
        Dossier {
            common: Common::new(Dossier::KIND, [1; 16], &origin, at).unwrap(),
            number: "FR-RES-2026-001".to_owned(),
            title: "secret".to_owned(),
            user: ReserveUser::State,
            request: None,
            contact_point: Some("secret".to_owned()),
            scale: Some(IncidentScale::LargeScale),
            entity: Some("secret".to_owned()),
            impact: Some("secret".to_owned()),
            service: Some("secret".to_owned()),
            planned_use: Some("secret".to_owned()),
            needs: Some("secret".to_owned()),
            mitigation: Some("secret".to_owned()),
            other_support: Some("secret".to_owned()),
            steps: vec![taken],
        }
    }

    #[test]
    fn a_dossier_reads_back_and_what_is_purged_of_it_has_no_words_and_still_stands() {
        let whole = dossier();
        whole.validate().unwrap();
        assert_eq!(Dossier::read(&whole.to_bytes()).unwrap(), whole);
        let left = whole.without_words("purged").to_bytes();
        let text = String::from_utf8(left.clone()).unwrap();
        assert!(!text.contains("secret") && !text.contains("c2Vj"), "{text}");
        assert_eq!(Dossier::read(&left).unwrap().taken(ReserveStep::Submitted), Some(Timestamp::from_micros(0)));
    }

    #[test]
    fn a_dossier_that_cannot_be_meant_is_refused() {
        let check = |change: &dyn Fn(&mut Dossier), says: &str| {
            let mut other = dossier();
            change(&mut other);
            let refused = other.validate().unwrap_err();
            assert!(refused.contains(says), "{refused}");
        };
        check(&|one| one.steps.clear(), "`steps` are 1 to");
        check(&|one| one.steps = vec![one.steps[0].clone(); 33], "`steps` are 1 to 32");
        check(&|one| one.entity = Some(String::new()), "entity");
        let size = |one: &mut Dossier, size| {
            if let Some(proof) = &mut one.steps[0].proof {
                proof.size = size;
            }
        };
        check(&|one| size(one, 0), "a proof has");
        check(&|one| size(one, limits::PROOF_BYTES + 1), "a proof has");
    }
}
