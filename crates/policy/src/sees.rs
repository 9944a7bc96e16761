//! "Who will see this?", nation by nation, asked of the same function that opens it later.

use model::{Origin, PartnerClass};

use crate::decide::{PolicyVersion, decide};
use crate::facts::Facts;
use crate::verdict::Verdict;
use crate::viewer::{Purpose, Viewer};

/// A partner as the sheet needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerFacts {
    /// Its log.
    pub origin: Origin,
    /// Its name for people.
    pub name: String,
    /// What it is to us.
    pub class: PartnerClass,
}

/// One line of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sees {
    /// Whose line.
    pub origin: Origin,
    /// Its name for people.
    pub name: String,
    /// Will it see it, and why or why not.
    pub verdict: Verdict,
}

/// Asks the policy for each partner whether the statement that `template` describes would go to its feed.
///
/// The order is that of `partners`, and nobody is left out of the answer: who will not see it is told with the reason.
#[must_use]
pub fn who_sees(template: &Facts, partners: &[PartnerFacts], version: &PolicyVersion) -> Vec<Sees> {
    let line = |partner: &PartnerFacts| {
        let viewer = Viewer::Partner { origin: partner.origin.clone(), class: partner.class };
        Sees {
            origin: partner.origin.clone(),
            name: partner.name.clone(),
            verdict: decide(template, &viewer, Purpose::Feed, version),
        }
    };
    partners.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use model::extension::AudienceKind;
    use model::{MemberSet, ThreadId, Tlp};

    use super::*;
    use crate::facts::Kind;
    use crate::verdict::Because;

    fn origin(country: &str) -> Origin {
        format!("entraide/{country}/REAL/0123456789abcdef").parse().unwrap()
    }

    #[test]
    fn the_sheet_names_every_partner_with_its_reason() {
        let here = origin("FR");
        let members = MemberSet::new([origin("EE"), origin("PL")]).unwrap();
        let partners: Vec<PartnerFacts> = ["EE", "LV", "PL"]
            .map(|country| PartnerFacts {
                origin: origin(country),
                name: format!("CERT-{country}"),
                class: PartnerClass::EuState,
            })
            .into();
        let sheet = |tlp: Tlp| {
            let facts = Facts::of_statement(
                &here,
                &here,
                Kind::Intelligence,
                tlp.into(),
                AudienceKind::Named,
                members.clone(),
                ThreadId::new([1; 16]),
            );
            who_sees(&facts, &partners, &PolicyVersion::CURRENT)
                .into_iter()
                .map(|line| (line.name, line.verdict.because().clone()))
                .collect::<Vec<_>>()
        };
        let line = |country: &str, because: Because| (format!("CERT-{country}"), because);
        let amber = sheet(Tlp::Amber);
        assert_eq!(
            amber,
            [line("EE", Because::InAudience), line("LV", Because::NotInAudience), line("PL", Because::InAudience)]
        );
        assert_eq!(sheet(Tlp::Red), ["EE", "LV", "PL"].map(|country| line(country, Because::RedStaysHome)));
    }
}
