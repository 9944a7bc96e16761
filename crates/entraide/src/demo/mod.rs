//! The demonstration: a fleet of real nodes in one process on loopback, a short story, and what it proved.
//!
//! `fleet` makes and starts the nodes, `story` plays, `measure` counts what came out of it, `forger` is the one hostile
//! act, `gate` lets a helper in by ssh, `exercise` is held beside reality, `report` prints. Nothing here is simulated but
//! the people: keys, logs, databases, TLS and feeds are the real ones.

mod exercise;
mod fleet;
mod forger;
mod gate;
mod help;
mod mail;
mod measure;
mod report;
mod samples;
mod seats;
mod story;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use model::Country;

pub use report::Report;

/// `entraide demo`: which nations, and how long.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many nations (the first N of the 27), or which ones: `27`, `FR,EE,DE,MT`
    #[arg(long, default_value = "27", value_name = "N|FR,EE,…")]
    pub nations: String,
    /// Play the story, check it, and end: 0 only if all of it held
    #[arg(long)]
    pub once: bool,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE.json")]
    pub report: Option<PathBuf>,
}

/// Why the demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The nations.
    #[error("`{0}` is not a number from 4 to 27 nor a list of Member States with FR, EE, DE and MT among them")]
    Nations(String),
    /// A step of the story.
    #[error("the story stopped at `{step}`: {reason}")]
    Step {
        /// Which step.
        step: &'static str,
        /// Why.
        reason: String,
    },
    /// Something did not hold.
    #[error("the demonstration did not hold: {0}")]
    DidNotHold(String),
}

impl DemoError {
    pub(crate) fn at(step: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |reason| Self::Step { step, reason: reason.to_string() }
    }
}

/// The nations that the story needs by name: who speaks, who joins late, who is away, who forges.
const CAST: [&str; 4] = ["FR", "EE", "DE", "MT"];

impl Options {
    /// The nations that take part, in the order of the treaty's letters, with the EU node last.
    ///
    /// # Errors
    /// Too few, too many, or none of a Member State.
    pub fn countries(&self) -> Result<Vec<Country>, DemoError> {
        let wrong = || DemoError::Nations(self.nations.clone());
        let names: Vec<String> = match self.nations.parse::<usize>() {
            Ok(count) if (CAST.len()..=27).contains(&count) => {
                let others = Country::MEMBER_STATES.iter().filter(|name| !CAST.contains(name));
                CAST.iter().chain(others).take(count).map(|name| (*name).to_owned()).collect()
            }
            Ok(_) => return Err(wrong()),
            Err(_) => self.nations.split(',').map(|name| name.trim().to_owned()).collect(),
        };
        if !CAST.iter().all(|needed| names.iter().any(|name| name == needed)) {
            return Err(wrong());
        }
        let mut countries = Vec::with_capacity(names.len() + 1);
        for name in &names {
            let country: Country = name.parse().map_err(|_| wrong())?;
            if !country.is_member_state() || countries.contains(&country) {
                return Err(wrong());
            }
            countries.push(country);
        }
        countries.sort_unstable();
        countries.push("EU".parse().map_err(|_| wrong())?);
        Ok(countries)
    }
}

/// Plays the demonstration. Without `once` the nodes stay up until Ctrl-C.
///
/// # Errors
/// A step failed, or something that must hold did not.
#[expect(clippy::disallowed_methods, reason = "how long the demonstration itself takes is measured here")]
pub async fn run(options: &Options) -> Result<Report, DemoError> {
    let countries = options.countries()?;
    let begun = Instant::now();
    let dir = tempfile_dir()?;
    let hall = seats::Hall::open().await?;
    let mut fleet = fleet::Fleet::start(&dir, &countries, &hall.address()).await?;
    let ready = begun.elapsed();
    report::ready(&fleet, ready);
    let told = story::play(&mut fleet).await?;
    let outcome = Report {
        nations: fleet.members.len(),
        objects: told.objects,
        propagation_ms: told.propagation,
        witnessed_ms: millis(told.witnessed),
        proofs_checked: told.proofs,
        leaks: told.leaks,
        held: told.held,
        receipts: told.receipts,
        crossed: told.crossed,
        request_to_first_answer_ms: millis(told.helped.first_answer),
        request_to_agreement_ms: millis(told.helped.agreement),
        agreement_to_access_ms: told.helped.access.map(millis),
        lines_covered: told.helped.lines_covered,
        double_bookings: told.helped.double_bookings,
        ready_ms: millis(ready),
        wall_ms: millis(begun.elapsed()),
        peak_rss_mb: report::peak_rss_mb(),
    };
    report::closing(&outcome, &told.table);
    if let Some(path) = &options.report {
        outcome.write(path).map_err(|error| DemoError::at("report")(&error))?;
    }
    let verdict = outcome.holds(told.expected_receipts);
    if !options.once {
        report::invitation(&fleet, &told.exercise, &hall.address());
        let seating = hall.serve(&fleet, &told.exercise);
        // Either Ctrl-C came or it can't be heard: both end the demonstration.
        let _ = tokio::signal::ctrl_c().await;
        seating.stop().await;
    }
    for played in told.exercise {
        played.stop().await;
    }
    fleet.stop().await;
    // The directory is the demonstration's own; what can't be removed is left to the system's clean-up.
    let _ = std::fs::remove_dir_all(&dir);
    verdict.map(|()| outcome)
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn tempfile_dir() -> Result<PathBuf, DemoError> {
    let at = DemoError::at("a directory for the nodes");
    let dir = std::env::temp_dir().join(format!("entraide-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| at(&error))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nations_are_a_number_or_a_list() {
        let check = |text: &str, expect: Option<usize>| {
            let options = Options { nations: text.to_owned(), once: true, report: None };
            assert_eq!(options.countries().ok().map(|countries| countries.len()), expect, "{text}");
        };
        check("27", Some(28));
        check("4", Some(5));
        check("3", None);
        check("28", None);
        check("FR,EE,DE,MT,PT", Some(6));
        check("FR,EE,DE", None);
        check("FR,EE,DE,MT,US", None);
        check("FR,EE,DE,MT,FR", None);
    }
}
