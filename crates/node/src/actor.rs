//! Who acts: a person at a desk with roles, by session, token or the machine's own socket.

use model::{Desk, Origin, Role};
use policy::{Roles, Viewer};
use store::PersonId;

/// What an act needs. Roles are words of the field; this table is the only place where they become rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See what the desk may see.
    Read,
    /// Take material into intake.
    TakeIn,
    /// Speak for the nation: assert and withdraw.
    Speak,
    /// Change audiences and communities.
    ManageAudiences,
    /// Invite, confirm, hold and cut partners.
    ManagePartners,
    /// Change the duty roster and the ladders.
    ManageRoster,
    /// Change accounts and tokens.
    ManageAccounts,
    /// Purge what must not be here.
    Spill,
    /// Lay and release legal holds.
    Hold,
    /// Say how long data is kept, and purge what is due.
    Retain,
    /// Operate the node: rebuild, doctor.
    Operate,
    /// Decide, as one of two persons, from where this node speaks.
    DecideLog,
    /// Say which acts need two persons, and who may act alone within which bounds.
    Authorise,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Read,
        Self::TakeIn,
        Self::Speak,
        Self::ManageAudiences,
        Self::ManagePartners,
        Self::ManageAccounts,
        Self::Spill,
        Self::Hold,
        Self::Retain,
        Self::Operate,
        Self::DecideLog,
        Self::ManageRoster,
        Self::Authorise,
    ];

    /// The permission as the API writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::TakeIn => "take-in",
            Self::Speak => "speak",
            Self::ManageAudiences => "manage-audiences",
            Self::ManagePartners => "manage-partners",
            Self::ManageAccounts => "manage-accounts",
            Self::Spill => "spill",
            Self::Hold => "hold",
            Self::Retain => "retain",
            Self::Operate => "operate",
            Self::DecideLog => "decide-log",
            Self::ManageRoster => "manage-roster",
            Self::Authorise => "authorise",
        }
    }

    /// Does one of the roles carry it?
    #[must_use]
    pub fn is_carried_by(self, role: Role) -> bool {
        match self {
            Self::Read => !matches!(role, Role::EntityReporter),
            Self::TakeIn => matches!(role, Role::Analyst | Role::DutyOfficer | Role::CrisisOfficer),
            Self::Speak => matches!(role, Role::DutyOfficer | Role::CrisisOfficer),
            Self::ManageAudiences => matches!(role, Role::DutyOfficer | Role::Liaison | Role::CrisisOfficer),
            Self::ManagePartners => matches!(role, Role::Liaison | Role::Administrator),
            Self::ManageRoster => {
                matches!(role, Role::DutyOfficer | Role::CrisisOfficer | Role::Liaison | Role::Administrator)
            }
            Self::Authorise => matches!(role, Role::CrisisOfficer),
            Self::DecideLog => matches!(role, Role::DutyOfficer | Role::CrisisOfficer | Role::Administrator),
            // Whoever is awake: a secret on a network where it may not be does not wait for an office hour.
            Self::Spill => matches!(role, Role::DutyOfficer | Role::CrisisOfficer | Role::Administrator),
            Self::Hold => matches!(role, Role::DutyOfficer | Role::Administrator),
            Self::ManageAccounts | Self::Retain | Self::Operate => matches!(role, Role::Administrator),
        }
    }
}

/// An act was refused for want of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your roles do not allow this: it needs {needs}")]
pub struct Forbidden {
    needs: String,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account; `None` for the machine's own socket.
    pub person: Option<PersonId>,
    /// The name in ledgers: the login, or `machine`.
    pub login: String,
    /// At which desk.
    pub desk: Desk,
    /// With which roles.
    pub roles: Vec<Role>,
}

impl Actor {
    /// Whoever may open the node's directory on its machine: the operating system has decided who that is.
    #[must_use]
    pub fn machine() -> Self {
        Self {
            person: None,
            login: "machine".to_owned(),
            desk: Desk::Csirt,
            roles: vec![Role::DutyOfficer, Role::Administrator, Role::Analyst],
        }
    }

    /// Refuses unless a role carries the permission.
    ///
    /// # Errors
    /// No role does; the message names those that would.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.roles.iter().any(|role| permission.is_carried_by(*role)) {
            return Ok(());
        }
        let able: Vec<&str> =
            Role::ALL.iter().filter(|role| permission.is_carried_by(**role)).map(|role| role.word()).collect();
        Err(Forbidden { needs: able.join(" or ") })
    }

    /// The actor as policy sees it.
    #[must_use]
    pub fn viewer(&self, authority: &Origin) -> Viewer {
        Viewer::Person { authority: authority.clone(), desk: self.desk, roles: Roles::new(self.roles.iter().copied()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_carry_what_the_table_says() {
        let actor = |role| Actor { person: None, login: "x".into(), desk: Desk::Csirt, roles: vec![role] };
        assert!(actor(Role::DutyOfficer).require(Permission::Speak).is_ok());
        assert!(actor(Role::Analyst).require(Permission::Speak).is_err());
        assert!(actor(Role::Administrator).require(Permission::Speak).is_err());
        for able in [Role::DutyOfficer, Role::CrisisOfficer, Role::Administrator] {
            assert!(actor(able).require(Permission::Spill).is_ok());
        }
        assert!(actor(Role::Liaison).require(Permission::Spill).is_err());
        assert!(actor(Role::DutyOfficer).require(Permission::Hold).is_ok());
        assert!(actor(Role::DutyOfficer).require(Permission::Retain).is_err());
        let table = [
            (Permission::Read, "viewer analyst duty-officer liaison crisis-officer administrator auditor"),
            (Permission::TakeIn, "analyst duty-officer crisis-officer"),
            (Permission::Speak, "duty-officer crisis-officer"),
            (Permission::ManageAudiences, "duty-officer liaison crisis-officer"),
            (Permission::ManagePartners, "liaison administrator"),
            (Permission::ManageRoster, "duty-officer liaison crisis-officer administrator"),
            (Permission::ManageAccounts, "administrator"),
            (Permission::Spill, "duty-officer crisis-officer administrator"),
            (Permission::Hold, "duty-officer administrator"),
            (Permission::Retain, "administrator"),
            (Permission::Operate, "administrator"),
            (Permission::DecideLog, "duty-officer crisis-officer administrator"),
            (Permission::Authorise, "crisis-officer"),
        ];
        for permission in Permission::ALL {
            let able = Role::ALL.iter().filter(|role| actor(**role).require(permission).is_ok());
            let able: Vec<&str> = able.map(|role| role.word()).collect();
            let told = table.iter().find(|(of, _)| *of == permission).map(|(_, roles)| *roles);
            assert_eq!(Some(&*able.join(" ")), told, "{permission:?}");
        }
        let refused = actor(Role::Viewer).require(Permission::ManageAccounts).unwrap_err().to_string();
        assert!(refused.contains("administrator"), "{refused}");
    }
}
