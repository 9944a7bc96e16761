//! Who takes part: desks and roles inside a nation, classes of partners, and how a partner is reached.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is not in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a {kind}: write one of {choices}")]
pub struct UnknownWord {
    kind: &'static str,
    word: String,
    choices: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal, { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word on screens, in files and in the API.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|value| value.word() == text).ok_or_else(|| UnknownWord {
                    kind: $kind,
                    word: text.chars().take(40).collect(),
                    choices: [$($word),+].join(", "),
                })
            }
        }
    };
}

words!(
    /// A desk inside a nation (NIS2 Arts 8–12). Walls stand between desks, not only between nations.
    Desk, "desk", {
        /// The computer security incident response team (NIS2 Art 10).
        Csirt = "csirt",
        /// A supervising competent authority (NIS2 Art 8(1)).
        CompetentAuthority = "competent-authority",
        /// The single point of contact (NIS2 Art 8(3)).
        SinglePointOfContact = "single-point-of-contact",
        /// The cyber crisis management authority (NIS2 Art 9).
        CrisisAuthority = "crisis-authority",
        /// A national cyber hub (Regulation (EU) 2025/38 Art 4).
        Hub = "hub",
        /// The coordinator for vulnerability disclosure (NIS2 Art 12).
        Coordinator = "coordinator",
    }
);

impl Desk {
    /// Does this desk supervise entities, so that the wall keeps voluntary notices and help from it?
    #[must_use]
    pub const fn supervises(self) -> bool {
        matches!(self, Self::CompetentAuthority)
    }
}

words!(
    /// What a statement is that stands behind the wall: supervising desks do not see it but by an explicit act. Whoever
    /// asks for help must not feed a sanction by it (NIS2 Art 30(2)).
    Walled, "kind", {
        /// A notification that nobody had to make (NIS2 Art 30).
        VoluntaryNotice = "voluntary",
        /// What an entity and its helpers say to each other.
        HelpConversation = "help",
        /// Evidence of an incident.
        Evidence = "evidence",
        /// What helpers found at an entity.
        HelperFinding = "finding",
    }
);

impl Walled {
    /// Four bits of an envelope, and a byte in the database; 0 means that no wall stands before it.
    #[must_use]
    pub const fn code(walled: Option<Self>) -> u8 {
        match walled {
            None => 0,
            Some(Self::VoluntaryNotice) => 1,
            Some(Self::HelpConversation) => 2,
            Some(Self::Evidence) => 3,
            Some(Self::HelperFinding) => 4,
        }
    }

    /// What the bits mean: outer `None` for those that mean nothing.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Option<Self>> {
        match code {
            0 => Some(None),
            n => Self::ALL.get(usize::from(n) - 1).copied().map(Some),
        }
    }
}

words!(
    /// How high a classified annex is, as its owner states it (2013/488/EU Art 2, Appendix B; NATO C-M(2002)49). The words
    /// are not the markings, so that a pointer can say them.
    AnnexLevel, "level", {
        /// RESTREINT UE/EU RESTRICTED.
        EuRestricted = "eu-restricted",
        /// CONFIDENTIEL UE/EU CONFIDENTIAL.
        EuConfidential = "eu-confidential",
        /// SECRET UE/EU SECRET.
        EuSecret = "eu-secret",
        /// TRÈS SECRET UE/EU TOP SECRET.
        EuTopSecret = "eu-top-secret",
        /// NATO RESTRICTED.
        NatoRestricted = "nato-restricted",
        /// NATO CONFIDENTIAL.
        NatoConfidential = "nato-confidential",
        /// NATO SECRET.
        NatoSecret = "nato-secret",
        /// COSMIC TOP SECRET.
        NatoTopSecret = "nato-cosmic-top-secret",
        /// What the owner's state calls so.
        NationalRestricted = "national-restricted",
        /// What the owner's state calls so.
        NationalConfidential = "national-confidential",
        /// What the owner's state calls so.
        NationalSecret = "national-secret",
        /// What the owner's state calls so.
        NationalTopSecret = "national-top-secret",
    }
);

words!(
    /// What a person may do at a desk (workflows §0).
    Role, "role", {
        /// Reads what the desk may see.
        Viewer = "viewer",
        /// Takes in and analyses.
        Analyst = "analyst",
        /// Speaks for the nation: asserts and withdraws.
        DutyOfficer = "duty-officer",
        /// Keeps contact with partners.
        Liaison = "liaison",
        /// Decides in a crisis.
        CrisisOfficer = "crisis-officer",
        /// Manages accounts, partners and configuration; sees no content by that role alone.
        Administrator = "administrator",
        /// Reports for an entity.
        EntityReporter = "entity-reporter",
        /// Reads the log and its proofs.
        Auditor = "auditor",
    }
);

words!(
    /// What a partner is to us; a new one starts with nothing.
    PartnerClass, "partner class", {
        /// A Member State of the Union.
        EuState = "eu-state",
        /// A body of the Union (ENISA, CERT-EU).
        EuBody = "eu-body",
        /// A state of the European Economic Area that is not in the Union.
        Eea = "eea",
        /// A state associated to the Digital Europe Programme.
        Associated = "associated",
        /// Any other state.
        ThirdCountry = "third-country",
        /// A private provider of help.
        Provider = "provider",
        /// A cross-border cyber hub.
        Hub = "hub",
    }
);

words!(
    /// How a partner is reached.
    Reach, "reach", {
        /// By its own node.
        Node = "node",
        /// By its MISP.
        Misp = "misp",
        /// By its TAXII server.
        Taxii = "taxii",
        /// By mail under PGP.
        MailPgp = "mail+pgp",
        /// By mail under S/MIME.
        MailSmime = "mail+smime",
        /// By telephone.
        Phone = "phone",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for desk in Desk::ALL {
            assert_eq!(desk.word().parse(), Ok(*desk));
        }
        assert_eq!(Desk::ALL.iter().filter(|desk| desk.supervises()).count(), 1);
        let refused = "boss".parse::<Role>().unwrap_err().to_string();
        assert!(refused.contains("duty-officer") && refused.contains("`boss`"), "{refused}");
    }
}
