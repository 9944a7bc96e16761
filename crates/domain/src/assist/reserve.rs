//! The Reserve dossier: where it may go next, what is still missing in it, and by when others and we must answer
//! (Reg. (EU) 2025/38 Arts 15 and 16).
//!
//! What ENISA does between the submission and its answer is often not heard: those steps may be passed over. What was done
//! outside is a fact: it is noted, whatever is missing in the dossier.

use model::Timestamp;
use model::extension::assistance::{Dossier, ReserveStep, ReserveUser};

use super::InvalidTransition;

/// May a dossier go from one step to another?
///
/// # Errors
/// It has no place there.
pub const fn next(from: ReserveStep, to: ReserveStep) -> Result<(), InvalidTransition> {
    use ReserveStep as S;
    let may = match from {
        S::Draft => matches!(to, S::AtContactPoint | S::Withdrawn),
        // The single point of contact gives it back if something is missing.
        S::AtContactPoint => matches!(to, S::Draft | S::Submitted | S::Withdrawn),
        S::Submitted => {
            matches!(to, S::Eligibility | S::Assessed | S::Queued | S::Granted | S::Refused | S::Withdrawn)
        }
        S::Eligibility => matches!(to, S::Assessed | S::Queued | S::Granted | S::Refused | S::Withdrawn),
        S::Assessed => matches!(to, S::Queued | S::Granted | S::Refused | S::Withdrawn),
        S::Queued => matches!(to, S::Granted | S::Refused | S::Withdrawn),
        S::Granted => matches!(to, S::Agreement | S::Withdrawn),
        S::Agreement => matches!(to, S::Deployed | S::Withdrawn),
        S::Deployed => matches!(to, S::Ended),
        S::Ended => matches!(to, S::Reported),
        S::Refused | S::Reported | S::Withdrawn => return Err(InvalidTransition::TooLate),
    };
    if may { Ok(()) } else { Err(InvalidTransition::Misplaced) }
}

/// Must a step be shown by a file? What was submitted or reported outside is.
#[must_use]
pub const fn needs_proof(step: ReserveStep) -> bool {
    matches!(step, ReserveStep::Submitted | ReserveStep::Reported)
}

/// A field of a dossier, filled or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'d> {
    /// Its name, as it is filled in.
    pub name: &'static str,
    /// What it is, for people.
    pub words: &'static str,
    /// Which rule wants it.
    pub article: &'static str,
    /// What is to be written, if nothing is.
    pub remedy: &'static str,
    /// What is written.
    pub value: Option<&'d str>,
}

/// Everything that the law wants to know, in its order.
#[must_use]
pub fn fields(dossier: &Dossier) -> Vec<Field<'_>> {
    let field = |name, words, article, remedy, value| Field { name, words, article, remedy, value };
    vec![
        field(
            "scale",
            "The incident",
            "Art 15(1)",
            "say whether it is significant, large-scale, or equivalent to large-scale",
            dossier.scale.map(model::extension::assistance::IncidentScale::word),
        ),
        field(
            "entity",
            "Affected entity",
            "Art 15(5)",
            "name who is hit, its sector, and whether it is essential",
            dossier.entity.as_deref(),
        ),
        field(
            "impact",
            "Potential impact",
            "Art 15(5)",
            "say which states and users it may hit, and what may spill over",
            dossier.impact.as_deref(),
        ),
        field(
            "service",
            "Requested service",
            "Art 15(5)",
            "say which service is asked for",
            dossier.service.as_deref(),
        ),
        field(
            "planned_use",
            "Planned use",
            "Art 15(5)",
            "say what the support is for: to respond, and to begin to recover",
            dossier.planned_use.as_deref(),
        ),
        field(
            "needs",
            "Estimated needs",
            "Art 15(5)",
            "say how many, for how long, from when",
            dossier.needs.as_deref(),
        ),
        field(
            "mitigation",
            "Measures already taken",
            "Art 15(2), 15(5)",
            "say what was done already: without own measures nothing is granted",
            dossier.mitigation.as_deref(),
        ),
        field(
            "other_support",
            "Other support available",
            "Art 15(5), recital 40",
            "name contracts for incident response, insurance, and what partners offer; or that there is none",
            dossier.other_support.as_deref(),
        ),
        field(
            "contact_point",
            "Single point of contact",
            "Art 15(3)",
            "name whoever hands it to ENISA, with a number",
            dossier.contact_point.as_deref(),
        ),
    ]
}

/// One period that runs, or ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Who owes what to whom.
    pub words: &'static str,
    /// Which rule says so.
    pub article: &'static str,
    /// When it began.
    pub since: Timestamp,
    /// The period exactly: what alarms go by.
    pub target: Timestamp,
    /// The end by Reg. (EEC, Euratom) 1182/71; a weekend or holiday at its end is not added.
    pub outer: Timestamp,
    /// When it was met.
    pub met: Option<Timestamp>,
}

/// How a period stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Running,
    /// The exact period is over, the legal one is not.
    PastTarget,
    /// It is over, and nothing came.
    Late,
    /// It was met in time.
    Met,
    /// It was met after its end.
    MetLate,
}

impl Clock {
    /// How it stands at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Standing {
        match self.met {
            Some(met) if met <= self.outer => Standing::Met,
            Some(_) => Standing::MetLate,
            None if now <= self.target => Standing::Running,
            None if now <= self.outer => Standing::PastTarget,
            None => Standing::Late,
        }
    }
}

const HOUR: i64 = 3_600;
/// Hours within which ENISA answers a state or CERT-EU (Art 16(1)).
const ANSWER_HOURS: i64 = 48;
/// Months after the end of the support within which its user reports (Art 16(9)).
const REPORT_MONTHS: i32 = 2;
/// Months are counted in the civil time of whoever receives the report: the Commission.
const RECEIVER: &str = "Europe/Brussels";

/// The periods of a dossier.
#[must_use]
pub fn clocks(dossier: &Dossier) -> Vec<Clock> {
    let mut clocks = Vec::new();
    let first = |steps: &[ReserveStep], since: Timestamp| {
        dossier.steps.iter().find(|taken| steps.contains(&taken.step) && taken.at >= since).map(|taken| taken.at)
    };
    // To a third country the answer comes without undue delay (Art 19(10)): no clock runs.
    let is_timed = matches!(dossier.user, ReserveUser::State | ReserveUser::CertEu);
    if let Some(since) = dossier.taken(ReserveStep::Submitted).filter(|_| is_timed) {
        let met = first(&[ReserveStep::Granted, ReserveStep::Refused, ReserveStep::Withdrawn], since);
        let hour = HOUR * 1_000_000;
        // The hour of the event is not counted (Reg. 1182/71 Art 3(1)).
        let begins = Timestamp::from_micros(since.micros().div_euclid(hour) * hour).plus_seconds(HOUR);
        clocks.push(Clock {
            words: "ENISA answers",
            article: "Art 16(1)",
            since,
            target: since.plus_seconds(ANSWER_HOURS * HOUR),
            outer: begins.plus_seconds(ANSWER_HOURS * HOUR),
            met,
        });
    }
    if let Some(since) = dossier.taken(ReserveStep::Ended)
        && let Some((target, outer)) = since.plus_months(REPORT_MONTHS, RECEIVER)
    {
        clocks.push(Clock {
            words: report_words(dossier.user),
            article: "Art 16(9)",
            since,
            target,
            outer,
            met: first(&[ReserveStep::Reported], since),
        });
    }
    clocks
}

const fn report_words(user: ReserveUser) -> &'static str {
    match user {
        ReserveUser::State => {
            "we report service, results and lessons to Commission, ENISA, CSIRTs network and EU-CyCLONe"
        }
        ReserveUser::CertEu => "we report service, results and lessons to Commission, ENISA and IICB",
        ReserveUser::ThirdCountry => "we report service, results and lessons to the Commission",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::extension::assistance::ReserveTaken;
    use model::extension::{Common, Extension};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn dossier(user: ReserveUser, steps: &[(ReserveStep, &str)]) -> Dossier {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let taken = |(step, when): &(ReserveStep, &str)| ReserveTaken {
            step: *step,
            at: at(when),
            by: "anna".to_owned(),
            note: None,
            proof: None,
        };
        Dossier {
            common: Common::new(Dossier::KIND, [1; 16], &origin, at("2026-12-18T00:00:00Z")).unwrap(),
            number: "FR-RES-2026-001".to_owned(),
            title: "hospital group".to_owned(),
            user,
            request: None,
            contact_point: None,
            scale: None,
            entity: None,
            impact: None,
            service: None,
            planned_use: None,
            needs: None,
            mitigation: None,
            other_support: None,
            steps: steps.iter().map(taken).collect(),
        }
    }

    #[test]
    fn a_dossier_goes_forward_on_the_way_of_the_law_alone() {
        use ReserveStep as S;
        let way = [
            S::Draft,
            S::AtContactPoint,
            S::Submitted,
            S::Eligibility,
            S::Assessed,
            S::Queued,
            S::Granted,
            S::Agreement,
            S::Deployed,
            S::Ended,
            S::Reported,
        ];
        for pair in way.windows(2) {
            assert_eq!(next(pair[0], pair[1]), Ok(()), "{pair:?}");
        }
        let check = |from, to, expect| assert_eq!(next(from, to), expect, "{from} {to}");
        check(S::Submitted, S::Granted, Ok(()));
        check(S::AtContactPoint, S::Draft, Ok(()));
        check(S::Draft, S::Submitted, Err(InvalidTransition::Misplaced));
        check(S::Deployed, S::Withdrawn, Err(InvalidTransition::Misplaced));
        check(S::Granted, S::Refused, Err(InvalidTransition::Misplaced));
        for over in [S::Refused, S::Reported, S::Withdrawn] {
            for step in S::ALL {
                check(over, *step, Err(InvalidTransition::TooLate));
            }
        }
        // Nothing goes back but from the single point of contact, and nothing stays where it is.
        for (at, from) in way.iter().enumerate() {
            for to in &way[..=at] {
                assert!(next(*from, *to).is_err() || (*from, *to) == (S::AtContactPoint, S::Draft), "{from} {to}");
            }
        }
    }

    #[test]
    fn periods_are_those_of_the_law_and_of_its_rules_of_counting() {
        // The examples of the research on Reg. 1182/71: a request on a Friday before Christmas, and the end of a month.
        let asked = dossier(ReserveUser::State, &[(ReserveStep::Submitted, "2026-12-18T16:45:00Z")]);
        let [clock] = clocks(&asked).try_into().unwrap();
        assert_eq!((clock.target, clock.outer), (at("2026-12-20T16:45:00Z"), at("2026-12-20T17:00:00Z")));
        let check = |now: &str, expect| assert_eq!(clock.at(at(now)), expect, "{now}");
        check("2026-12-20T16:45:00Z", Standing::Running);
        check("2026-12-20T16:45:01Z", Standing::PastTarget);
        check("2026-12-20T17:00:00Z", Standing::PastTarget);
        check("2026-12-20T17:00:01Z", Standing::Late);
        let exact = dossier(ReserveUser::CertEu, &[(ReserveStep::Submitted, "2026-12-18T15:00:00Z")]);
        assert_eq!(
            clocks(&exact)[0].outer,
            at("2026-12-20T16:00:00Z"),
            "an event at the full hour belongs to its hour"
        );
        assert_eq!(
            clocks(&dossier(ReserveUser::ThirdCountry, &[(ReserveStep::Submitted, "2026-12-18T16:45:00Z")])),
            []
        );

        let ended = |when: &'static str| clocks(&dossier(ReserveUser::State, &[(ReserveStep::Ended, when)])).remove(0);
        // 24:00 in Brussels is 23:00 in UTC in winter and 22:00 in summer.
        assert_eq!(ended("2026-11-30T10:00:00Z").outer, at("2027-01-30T23:00:00Z"));
        assert_eq!(
            ended("2026-12-31T10:00:00Z").outer,
            at("2027-02-28T23:00:00Z"),
            "no such date: the last of the month"
        );
        assert_eq!(ended("2027-02-15T10:00:00Z").outer, at("2027-04-15T22:00:00Z"));
        // In Brussels it is the first of the next month already.
        assert_eq!(ended("2026-11-30T23:30:00Z").outer, at("2027-02-01T23:00:00Z"));
        assert_eq!(ended("2027-02-15T10:00:00Z").target, at("2027-04-15T09:00:00Z"));
    }

    #[test]
    fn a_clock_stops_with_what_it_waits_for() {
        let steps = |last| [(ReserveStep::Submitted, "2026-12-18T16:45:00Z"), last];
        let told = |last| clocks(&dossier(ReserveUser::State, &steps(last))).remove(0).at(at("2027-06-01T00:00:00Z"));
        assert_eq!(told((ReserveStep::Granted, "2026-12-19T09:00:00Z")), Standing::Met);
        assert_eq!(told((ReserveStep::Refused, "2026-12-21T09:00:00Z")), Standing::MetLate);
        assert_eq!(told((ReserveStep::Queued, "2026-12-19T09:00:00Z")), Standing::Late);
    }

    #[test]
    fn what_is_missing_is_said_in_words() {
        let mut draft = dossier(ReserveUser::State, &[(ReserveStep::Draft, "2026-12-18T16:45:00Z")]);
        let missing = |dossier: &Dossier| fields(dossier).iter().filter(|field| field.value.is_none()).count();
        assert_eq!((missing(&draft), fields(&draft).len()), (9, 9));
        draft.entity = Some("hospital group, essential".to_owned());
        assert_eq!(missing(&draft), 8);
        assert!(fields(&draft).iter().all(|field| field.remedy.len() > 10 && field.article.contains("15")));
    }
}
