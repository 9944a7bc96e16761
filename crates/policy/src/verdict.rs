//! The answer of the gate, and its reason in words for people and for the audit log.

use std::fmt;

use model::{Pap, Realm};

use crate::facts::Article;
use crate::viewer::Purpose;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It may be seen for this purpose.
    Allow {
        /// Why.
        because: Because,
    },
    /// It may not.
    Deny {
        /// Why: for the audit log and the owner's own screen, never for the one who was refused.
        because: Because,
    },
}

impl Verdict {
    /// Is it allowed?
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
    /// The reason, either way.
    #[must_use]
    pub const fn because(&self) -> &Because {
        match self {
            Self::Allow { because } | Self::Deny { because } => because,
        }
    }
}

/// Why. Prints as a sentence for people, lower case, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Allowed: the owner published it.
    Published,
    /// Allowed: the partner is in the audience.
    InAudience,
    /// Allowed: shared with the constituents of a community.
    CommunityConstituent,
    /// Allowed: the authority admitted this entity.
    AdmittedConstituent,
    /// Allowed: it is our own.
    OwnStatement,
    /// Allowed: a partner opened it to us.
    OpenedToUs,
    /// Allowed: the person was named to read it.
    NamedReader,
    /// Allowed: an explicit act opened the wall.
    Disclosed(Article),

    /// Denied: this program does not know the version of the policy that it was asked to apply.
    UnknownPolicy,
    /// Denied: reality and exercises never meet.
    OtherRealm {
        /// The realm of the statement.
        realm: Realm,
    },
    /// Denied: no label yet.
    Unlabelled,
    /// Denied: taken back.
    Withdrawn,
    /// Somebody else said it with the owner's keys.
    Repudiated,
    /// Denied: another nation's statement is opened by that nation alone.
    NotOurs,
    /// Denied: the public sees what was published, CLEAR, and not behind the wall.
    NotPublished,
    /// Denied: the partner is not in the audience.
    NotInAudience,
    /// Denied: RED is opened to no node.
    RedStaysHome,
    /// Denied: RED is read, by a person, and nothing else is done with it.
    RedIsOnlyRead(Purpose),
    /// Denied: nobody named this person.
    NotNamed,
    /// Denied: it was not opened to us.
    NotOpenedToUs,
    /// Denied: another authority's people and constituents ask their own node.
    OtherAuthority,
    /// Denied: no role that reads content.
    NoContentRole,
    /// Denied: behind the wall.
    Wall,
    /// Denied: nobody admitted this entity.
    NotAdmitted,
    /// Denied: the label stops at the authorities.
    AuthoritiesOnly,
    /// Denied: without a PAP, neither detection nor blocking.
    PapMissing(Purpose),
    /// Denied: the PAP forbids it.
    PapForbids(Pap, Purpose),
    /// Denied: only requests, agreements and mandates can be acted on as an order.
    NothingToEnforce,
    /// Denied: a voluntary notice creates no obligation (NIS2 Art 30(2)).
    VoluntaryBindsNobody,
    /// Denied: not a party to it.
    NotAParty,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "its owner published it",
            Self::InAudience => "it is in the audience",
            Self::CommunityConstituent => "it is shared with the constituents of a community",
            Self::AdmittedConstituent => "the authority admitted this entity",
            Self::OwnStatement => "it is our own statement",
            Self::OpenedToUs => "its owner opened it to us",
            Self::NamedReader => "the reader was named for it",
            Self::Disclosed(article) => {
                return write!(f, "it was disclosed to this desk under {article}");
            }
            Self::UnknownPolicy => "this version of the policy is not known here",
            Self::OtherRealm { realm } => {
                return write!(f, "it belongs to {realm}, and the one who asks does not");
            }
            Self::Unlabelled => "it has no label yet",
            Self::Withdrawn => "its owner took it back",
            Self::Repudiated => "its owner says that somebody else said it with stolen keys",
            Self::NotOurs => "only its owner opens it to others",
            Self::NotPublished => "it is not published",
            Self::NotInAudience => "it is not in the audience",
            Self::RedStaysHome => "TLP:RED is opened to no node",
            Self::RedIsOnlyRead(purpose) => {
                return write!(f, "TLP:RED is only read, not for {}", purpose.word());
            }
            Self::NotNamed => "the reader was not named for it",
            Self::NotOpenedToUs => "its owner did not open it to us",
            Self::OtherAuthority => "the people and constituents of another authority ask their own node",
            Self::NoContentRole => "none of the person's roles reads content",
            Self::Wall => "the wall keeps it from supervising desks",
            Self::NotAdmitted => "nobody admitted this entity",
            Self::AuthoritiesOnly => "its label stops at the authorities",
            Self::PapMissing(purpose) => {
                return write!(f, "it has no PAP, so it is not for {}", purpose.word());
            }
            Self::PapForbids(pap, purpose) => {
                return write!(f, "PAP:{} is not for {}", pap.word(), purpose.word());
            }
            Self::NothingToEnforce => "it is not a request, an agreement or a mandate",
            Self::VoluntaryBindsNobody => "a voluntary notice creates no obligation (NIS2 Art 30(2))",
            Self::NotAParty => "the one who asks is not a party to it",
        })
    }
}
