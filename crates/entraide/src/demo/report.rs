//! What the demonstration says, on the screen and as JSON.

use std::path::Path;
use std::time::Duration;

use model::Tlp;
use serde::Serialize;

use super::DemoError;
use super::exercise::Played;
use super::fleet::{Fleet, Member};

/// The figures of one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Nodes.
    pub nations: usize,
    /// Statements about objects that France made and that are in force.
    pub objects: u64,
    /// How long a GREEN statement takes from its command to the database of each partner.
    pub propagation_ms: Spread,
    /// From the command that makes three audiences until two of three witnesses have cosigned them.
    pub witnessed_ms: u64,
    /// Proof files made by partners and verified offline.
    pub proofs_checked: u64,
    /// Statements held by a nation for which the second, naive policy says no.
    pub leaks: u64,
    /// Partners held with evidence.
    pub held: u64,
    /// Receipts for the withdrawal.
    pub receipts: u64,
    /// What got from an exercise into reality or back.
    pub crossed: u64,
    /// From a call for help until the first answer is at the requester.
    pub request_to_first_answer_ms: u64,
    /// From a call for help until an agreement is in force at the requester.
    pub request_to_agreement_ms: u64,
    /// From an agreement in force until a helper is in by ssh under a mandate; none where no sshd can be run.
    pub agreement_to_access_ms: Option<u64>,
    /// Lines of the call for help with enough in force.
    pub lines_covered: usize,
    /// What is in force beyond what was offered, on any node.
    pub double_bookings: u32,
    /// From the start until every node is up and peered.
    pub ready_ms: u64,
    /// The whole.
    pub wall_ms: u64,
    /// The most memory that the process had, in MiB.
    pub peak_rss_mb: u64,
}

/// Median, 99th percentile and largest of some times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, PartialEq)]
pub struct Spread {
    /// Half are below.
    pub p50: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// None is above.
    pub max: f64,
}

impl Spread {
    /// Of some times; zeros of none.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| {
            let place = (times.len() * share).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        Self { p50: at(50), p99: at(99), max: at(100) }
    }
}

impl Report {
    /// Did everything hold that the story claims?
    pub(super) fn holds(&self, expected_receipts: u64) -> Result<(), DemoError> {
        let faults = [
            (self.leaks > 0, format!("{} leaks", self.leaks)),
            (self.crossed > 0, format!("{} crossed between exercise and reality", self.crossed)),
            (self.held != 1, format!("{} partners held instead of 1", self.held)),
            (self.receipts != expected_receipts, format!("{} receipts, not {expected_receipts}", self.receipts)),
            (self.proofs_checked == 0, "no proof was checked".to_owned()),
            (self.lines_covered == 0, "nobody helped".to_owned()),
            (self.double_bookings > 0, format!("{} booked twice", self.double_bookings)),
            (self.objects == 0, "nothing was said".to_owned()),
        ];
        let found: Vec<String> = faults.into_iter().filter(|(wrong, _)| *wrong).map(|(_, text)| text).collect();
        if found.is_empty() { Ok(()) } else { Err(DemoError::DidNotHold(found.join("; "))) }
    }

    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(path, text + "\n")
    }
}

/// What one nation holds of France's statements, by label.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) nation: String,
    pub(super) counts: [u64; 5],
}

#[expect(clippy::print_stdout, reason = "the demonstration speaks to whoever started it")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

pub(super) fn ready(fleet: &Fleet, after: Duration) {
    say(&format!("{} nodes are up and peered after {:.1} s", fleet.members.len(), after.as_secs_f64()));
}

pub(super) fn closing(report: &Report, table: &[Row]) {
    say("\nWhat some nations hold of France's statements:");
    let heads: Vec<String> = Tlp::ALL.iter().map(|label| format!("{:>13}", label.word())).collect();
    say(&format!("  {:<8}{}", "", heads.join("")));
    for row in table {
        let cells: Vec<String> = row.counts.iter().map(|count| format!("{count:>13}")).collect();
        say(&format!("  {:<8}{}", row.nation, cells.join("")));
    }
    let spread = &report.propagation_ms;
    say(&format!(
        "\n  propagation of one GREEN statement: median {:.0} ms, p99 {:.0} ms, longest {:.0} ms",
        spread.p50, spread.p99, spread.max
    ));
    say(&format!("  said until witnessed by two of three: {} ms", report.witnessed_ms));
    say(&format!(
        "  help: first answer after {} ms, agreement in force after {} ms, {} booked twice",
        report.request_to_first_answer_ms, report.request_to_agreement_ms, report.double_bookings
    ));
    say(&format!("  proofs checked offline: {}", report.proofs_checked));
    say(&format!("  receipts for the withdrawal: {}", report.receipts));
    say(&format!("  partners held with evidence: {}", report.held));
    say(&format!("  leaks found by the second policy: {}", report.leaks));
    say(&format!("  crossed between exercise and reality: {}", report.crossed));
    say(&format!("  {:.1} s in all, {} MiB at the most", report.wall_ms as f64 / 1_000.0, report.peak_rss_mb));
}

/// Addresses and accounts of three nations, for whoever wants to look.
pub(super) fn invitation(fleet: &Fleet, exercise: &[Played], seats: &str) {
    say("\nTake a seat in your browser, no password needed (Ctrl-C ends it):");
    say(&format!("\n    {seats}\n"));
    say("Or log in as everybody does:");
    for country in ["FR", "EE", "DE", "MT"] {
        if let Ok(member) = fleet.of(country) {
            say(&seat(member));
        }
    }
    for Played { access, web, .. } in exercise {
        say(&format!(
            "  {}  http://{web}{}console/  login {}  password {}  one-time-code seed {}",
            access.realm, access.path, access.login, access.password, access.totp_secret
        ));
    }
}

fn seat(member: &Member) -> String {
    format!(
        "  {}  http://{}/console/  login {}  password {}  one-time-code seed {}",
        member.country, member.web, member.facts.login, member.facts.password, member.facts.totp_secret
    )
}

/// The high-water mark of this process, as Linux counts it; 0 where it doesn't.
pub(super) fn peak_rss_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
    kib.unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_sorted_times() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Spread::of(times), Spread { p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(Spread::of(Vec::new()), Spread { p50: 0.0, p99: 0.0, max: 0.0 });
    }

    #[test]
    fn a_run_holds_only_if_all_of_it_does() {
        let spread = Spread { p50: 1.0, p99: 1.0, max: 1.0 };
        let good = Report {
            nations: 5,
            objects: 9,
            propagation_ms: spread,
            witnessed_ms: 1,
            proofs_checked: 3,
            leaks: 0,
            held: 1,
            receipts: 4,
            request_to_first_answer_ms: 1,
            request_to_agreement_ms: 1,
            agreement_to_access_ms: None,
            lines_covered: 1,
            double_bookings: 0,
            crossed: 0,
            ready_ms: 1,
            wall_ms: 1,
            peak_rss_mb: 1,
        };
        assert!(good.holds(4).is_ok());
        assert!(good.holds(5).is_err());
        assert!(Report { leaks: 1, ..good.clone() }.holds(4).is_err());
        assert!(Report { held: 0, ..good.clone() }.holds(4).is_err());
        assert!(Report { crossed: 1, ..good.clone() }.holds(4).is_err());
        assert!(Report { double_bookings: 1, ..good.clone() }.holds(4).is_err());
        assert!(Report { lines_covered: 0, ..good.clone() }.holds(4).is_err());
        assert!(Report { proofs_checked: 0, ..good }.holds(4).is_err());
    }
}
