//! The life of a mission: forward only, but for people on task who travel on (an extension), and it can be broken off.

use model::extension::assistance::MissionPhase;

use super::InvalidTransition;

/// Which phase may follow which.
///
/// # Errors
/// A mission does not go back, and what is over stays over.
pub fn next(from: MissionPhase, to: MissionPhase) -> Result<MissionPhase, InvalidTransition> {
    use MissionPhase::{Aborted, Closed, Demobilising, Handover, Mobilising, OnTask, Ordered, Reporting, Travelling};
    let allowed = match from {
        // A helper who connects from afar is on task at once.
        Ordered => matches!(to, Ordered | Mobilising | Travelling | OnTask | Aborted),
        Mobilising => matches!(to, Mobilising | Travelling | OnTask | Aborted),
        Travelling => matches!(to, Travelling | OnTask | Aborted),
        OnTask => matches!(to, OnTask | Travelling | Handover | Aborted),
        Handover => matches!(to, Handover | Demobilising | Reporting | Aborted),
        Demobilising => matches!(to, Demobilising | Reporting | Aborted),
        Reporting => matches!(to, Reporting | Closed),
        Closed | Aborted => false,
    };
    match (allowed, from) {
        (true, _) => Ok(to),
        (false, Closed | Aborted) => Err(InvalidTransition::TooLate),
        (false, Ordered | Mobilising | Travelling | OnTask | Handover | Demobilising | Reporting) => {
            Err(InvalidTransition::Backwards)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MissionPhase::{Aborted, Closed, Demobilising, Handover, OnTask, Ordered, Reporting, Travelling};

    #[test]
    fn a_mission_goes_forward() {
        let check = |from, to, good: bool| assert_eq!(next(from, to).is_ok(), good, "{from:?} → {to:?}");
        check(Ordered, OnTask, true);
        check(Ordered, Closed, false);
        check(OnTask, Travelling, true);
        check(OnTask, Ordered, false);
        check(OnTask, Closed, false);
        check(Handover, Reporting, true);
        check(Demobilising, OnTask, false);
        check(Reporting, Closed, true);
        check(Closed, OnTask, false);
        check(Aborted, Reporting, false);
    }
}
