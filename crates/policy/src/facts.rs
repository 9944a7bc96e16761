//! What is asked for: everything that the policy knows of a statement, and nothing of its content.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use model::extension::AudienceKind;
use model::{Desk, Label, Lane, MemberSet, Origin, Realm, ThreadId, Walled};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::viewer::{EntityId, GuestId, ReaderId};

/// What sort of statement it is. The wall covers the last four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Indicators and what belongs to them.
    Intelligence,
    /// Requests, agreements, mandates, audiences, withdrawals, receipts, mandatory notifications.
    Workflow,
    /// A notification that nobody had to make (NIS2 Art 30).
    VoluntaryNotice,
    /// What an entity and its helpers say to each other.
    HelpConversation,
    /// Evidence of an incident.
    Evidence,
    /// What helpers found at an entity.
    HelperFinding,
}

impl Kind {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Intelligence,
        Self::Workflow,
        Self::VoluntaryNotice,
        Self::HelpConversation,
        Self::Evidence,
        Self::HelperFinding,
    ];

    /// The kind of a statement, by its envelope: what stands behind the wall says so, the rest is told by its lane.
    #[must_use]
    pub const fn of_envelope(lane: Lane, walled: Option<Walled>) -> Self {
        match (walled, lane) {
            (Some(Walled::VoluntaryNotice), _) => Self::VoluntaryNotice,
            (Some(Walled::HelpConversation), _) => Self::HelpConversation,
            (Some(Walled::Evidence), _) => Self::Evidence,
            (Some(Walled::HelperFinding), _) => Self::HelperFinding,
            (None, Lane::Workflow) => Self::Workflow,
            (None, Lane::Intelligence) => Self::Intelligence,
        }
    }

    /// Does the wall stand between it and supervising desks? Whoever asks for help must not feed a sanction by it.
    #[must_use]
    pub const fn is_walled(self) -> bool {
        match self {
            Self::VoluntaryNotice | Self::HelpConversation | Self::Evidence | Self::HelperFinding => true,
            Self::Intelligence | Self::Workflow => false,
        }
    }
}

/// The article of law under which an act was done, as people cite it: `NIS2 Art 32(4)`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Article(String);

/// Why an article was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an article: write 1 to 120 bytes without control characters, such as NIS2 Art 32(4)")]
pub struct ArticleError(String);

impl FromStr for Article {
    type Err = ArticleError;
    fn from_str(text: &str) -> Result<Self, ArticleError> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.len() > limits::ARTICLE_BYTES || trimmed.chars().any(char::is_control) {
            return Err(ArticleError(text.chars().filter(|letter| !letter.is_control()).take(40).collect()));
        }
        Ok(Self(trimmed.to_owned()))
    }
}
impl TryFrom<String> for Article {
    type Error = ArticleError;
    fn try_from(text: String) -> Result<Self, ArticleError> {
        text.parse()
    }
}
impl From<Article> for String {
    fn from(article: Article) -> Self {
        article.0
    }
}
impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An explicit act by which one desk sees one statement behind the wall; the entity sees the act.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallException {
    /// For which desk.
    pub desk: Desk,
    /// Under which article.
    pub article: Article,
}

/// Somebody named to read a RED statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// An own person.
    Person(ReaderId),
    /// A guest.
    Guest(GuestId),
}

/// What the policy knows of a statement (architecture §5).
///
/// The constructors give the closed case: nobody admitted, nobody disclosed to, not published. What is more open is
/// written out: `Facts { published: true, ..Facts::of_statement(…) }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose log says it.
    pub owner: Origin,
    /// The node that asks.
    pub here: Origin,
    /// Reality, or which exercise: as the envelope says.
    pub realm: Realm,
    /// What sort of statement.
    pub kind: Kind,
    /// The strictest of its labels; `None` until somebody has labelled it.
    pub label: Option<Label>,
    /// What its audience is: constituents share in communities, not in audiences made for a matter.
    pub audience: AudienceKind,
    /// The nodes to which it is open, the owner not counted. Shared, because thousands of statements have the same.
    pub member_set: Arc<MemberSet>,
    /// Constituents of this node whom it admits beyond the label's rule.
    pub admitted_constituents: Vec<EntityId>,
    /// Between whom it is, for requests, agreements and mandates.
    pub parties: Arc<MemberSet>,
    /// Did nobody have to say it (NIS2 Art 30)? Immutable, whatever the kind becomes later.
    pub voluntary: bool,
    /// Has the owner taken it back?
    pub withdrawn: bool,
    /// Does it stand in the log without being the owner's word: said by somebody who had stolen its keys?
    pub repudiated: bool,
    /// Has the owner published it by an act of its own?
    pub published: bool,
    /// The thread that it is a version of; `None` in intake.
    pub thread: Option<ThreadId>,
    /// Who was named to read it, if it is RED.
    pub named_readers: Vec<Reader>,
    /// The acts by which supervising desks see it behind the wall.
    pub disclosed_to: Vec<WallException>,
}

impl Facts {
    /// The facts of a statement in `owner`'s log, as the node `here` asks about it. The realm is that of the log.
    #[must_use]
    pub fn of_statement(
        owner: &Origin,
        here: &Origin,
        kind: Kind,
        label: Label,
        audience: AudienceKind,
        member_set: impl Into<Arc<MemberSet>>,
        thread: ThreadId,
    ) -> Self {
        Self {
            owner: owner.clone(),
            realm: owner.realm().clone(),
            label: Some(label),
            audience,
            member_set: member_set.into(),
            voluntary: kind == Kind::VoluntaryNotice,
            thread: Some(thread),
            ..Self::of_intake(here, kind, None)
        }
    }

    /// The facts of something that was received and that nobody has asserted: it is in no audience.
    #[must_use]
    pub fn of_intake(here: &Origin, kind: Kind, label: Option<Label>) -> Self {
        Self {
            owner: here.clone(),
            here: here.clone(),
            realm: here.realm().clone(),
            kind,
            label,
            audience: AudienceKind::Named,
            member_set: Arc::new(MemberSet::empty()),
            admitted_constituents: Vec::new(),
            parties: Arc::new(MemberSet::empty()),
            voluntary: kind == Kind::VoluntaryNotice,
            withdrawn: false,
            repudiated: false,
            published: false,
            thread: None,
            named_readers: Vec::new(),
            disclosed_to: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_short_lines() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<Article>().is_ok(), good, "{text:?}");
        check("NIS2 Art 32(4)", true);
        check("  NIS2 Art 32(4) ", true);
        check("   ", false);
        check("NIS2\nArt 32", false);
        check(&"x".repeat(limits::ARTICLE_BYTES), true);
        check(&"x".repeat(limits::ARTICLE_BYTES + 1), false);
    }

    #[test]
    fn the_wall_covers_four_kinds() {
        assert_eq!(Kind::ALL.map(Kind::is_walled), [false, false, true, true, true, true]);
        for lane in Lane::ALL {
            assert!(!Kind::of_envelope(lane, None).is_walled());
            for walled in Walled::ALL {
                assert!(Kind::of_envelope(lane, Some(*walled)).is_walled(), "{walled}");
            }
        }
    }

    #[test]
    fn a_statement_has_the_realm_of_its_log_and_starts_closed() {
        let fr: Origin = "entraide/FR/EX-BLUE/0123456789abcdef".parse().unwrap();
        let ee: Origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
        let (label, kind) = (model::Tlp::Clear.into(), Kind::VoluntaryNotice);
        let members = MemberSet::new([ee.clone()]).unwrap();
        let facts =
            Facts::of_statement(&fr, &ee, kind, label, AudienceKind::Union, members.clone(), ThreadId::new([1; 16]));
        assert_eq!((facts.realm.to_string().as_str(), &*facts.member_set), ("EX-BLUE", &members));
        assert!(facts.voluntary && !facts.published && facts.admitted_constituents.is_empty());
        assert_eq!(Facts::of_intake(&ee, kind, None).member_set.as_slice(), []);
    }
}
