//! Who asks, and for what purpose.

use model::{Desk, Origin, PartnerClass, Role, ThreadId};
use serde::{Deserialize, Serialize};

model::hex_newtype!(
    /// An entity (NIS2 Art 3) that is a constituent of a nation's authority. Random, never made of its name.
    EntityId,
    16
);
model::hex_newtype!(
    /// A person without an account, let in by a link and a one-time code.
    GuestId,
    16
);

/// A person with an account on this node, as the node numbers accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReaderId(pub i64);

/// The roles of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(u16);

impl Roles {
    /// A set of roles; each counts once.
    #[must_use]
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        Self(roles.into_iter().fold(0, |set, role| set | Self::bit(role)))
    }
    /// Is the role in it?
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }
    /// The roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.contains(*role))
    }
    /// Does one of them read content?
    ///
    /// An administrator runs the node, an auditor reads the log and its proofs, an entity's reporter uses the portal:
    /// none of these sees content by that role alone (workflows §0, least privilege).
    #[must_use]
    pub fn read_content(self) -> bool {
        self.iter().any(|role| match role {
            Role::Viewer | Role::Analyst | Role::DutyOfficer | Role::Liaison | Role::CrisisOfficer => true,
            Role::Administrator | Role::EntityReporter | Role::Auditor => false,
        })
    }

    const fn bit(role: Role) -> u16 {
        1 << (role as u16)
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        Self::new(roles)
    }
}
impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Anybody.
    Public,
    /// Another nation's node, or a partner reached in another way.
    Partner {
        /// The log by which the partner is known.
        origin: Origin,
        /// What it is to us. Membership of an audience is explicit, so the class neither opens nor closes anything:
        /// it stands here so that verdicts can be read by people, and for later versions of the policy.
        class: PartnerClass,
    },
    /// An entity in the care of an authority.
    Constituent {
        /// Which entity.
        entity: EntityId,
        /// Whose constituent it is.
        of: Origin,
    },
    /// A person at a desk of an authority. Under this name nobody reads RED: see [`Viewer::NamedPerson`].
    Person {
        /// Whose staff.
        authority: Origin,
        /// At which desk.
        desk: Desk,
        /// With which roles.
        roles: Roles,
    },
    /// The same, asking for one statement in the person's own name: the only way in which staff reads RED.
    NamedPerson {
        /// The account.
        reader: ReaderId,
        /// Whose staff.
        authority: Origin,
        /// At which desk.
        desk: Desk,
        /// With which roles.
        roles: Roles,
    },
    /// A person without an account.
    Guest {
        /// Which guest.
        id: GuestId,
        /// The one thread that the guest's link is for: a link never opens anything else.
        named_for: ThreadId,
    },
}

impl Viewer {
    /// The node to which the viewer belongs; the public and guests belong to none.
    #[must_use]
    pub fn node(&self) -> Option<&Origin> {
        match self {
            Self::Partner { origin: node, .. }
            | Self::Constituent { of: node, .. }
            | Self::Person { authority: node, .. }
            | Self::NamedPerson { authority: node, .. } => Some(node),
            Self::Public | Self::Guest { .. } => None,
        }
    }
}

/// What it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A person reads it.
    Read,
    /// A machine takes it as part of a feed (federation, TAXII, MISP).
    Feed,
    /// It leaves the node as a file or mail.
    Export,
    /// Telemetry is matched against it.
    Detect,
    /// Traffic is blocked by it.
    Block,
    /// It is acted on as an order: a mandate is enforced, an obligation is claimed.
    Enforce,
}

impl Purpose {
    /// All six.
    pub const ALL: [Self; 6] = [Self::Read, Self::Feed, Self::Export, Self::Detect, Self::Block, Self::Enforce];

    /// The word in verdicts and ledgers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Feed => "feed",
            Self::Export => "export",
            Self::Detect => "detect",
            Self::Block => "block",
            Self::Enforce => "enforce",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set() {
        let roles = Roles::new([Role::Auditor, Role::Viewer, Role::Auditor]);
        assert_eq!(Vec::from(roles), vec![Role::Viewer, Role::Auditor]);
        assert!(roles.contains(Role::Auditor) && !roles.contains(Role::Analyst));
        assert_eq!(Roles::new(Role::ALL.iter().copied()).iter().count(), Role::ALL.len());
    }

    #[test]
    fn content_needs_a_role_that_reads_content() {
        let check = |roles: &[Role], expect: bool| {
            assert_eq!(Roles::new(roles.iter().copied()).read_content(), expect, "{roles:?}");
        };
        check(&[], false);
        check(&[Role::Administrator], false);
        check(&[Role::Auditor], false);
        check(&[Role::Administrator, Role::Auditor, Role::EntityReporter], false);
        check(&[Role::Administrator, Role::Viewer], true);
        check(&[Role::DutyOfficer], true);
    }
}
