//! What machines watch: `/healthz` for supervisors, `/metrics` in Prometheus' text format 0.0.4.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use node::Permission;

use super::api::App;
use super::api::refusal::Refusal;
use super::api::status::{self, Partner, Status};
use super::session::Caller;

/// Both routes.
pub fn router() -> Router<App> {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}

/// Anybody may ask whether the node lives; it says nothing else.
async fn healthz(State(app): State<App>) -> Response {
    let standing = app.node().standing();
    let writing = app.is_writing() && standing.speaks();
    let (code, word) = match (writing, standing.speaks()) {
        (true, _) => (StatusCode::OK, "ok"),
        (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "read-only"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, standing.word()),
    };
    (code, Json(serde_json::json!({ "status": word, "writing": writing }))).into_response()
}

/// Numbers of the node and its partners. Who is a partner is nobody else's business, so it takes a token.
async fn metrics(State(app): State<App>, caller: Caller) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let text = text(&status::read(&app).await?, app.is_writing());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn text(status: &Status, writing: bool) -> String {
    let mut out = Exposition(String::new());
    out.family("entraide_build_info", "The running program.");
    out.sample(
        "entraide_build_info",
        &[("version", env!("CARGO_PKG_VERSION")), ("origin", &status.origin), ("realm", &status.realm)],
        1,
    );
    out.family("entraide_writing", "Does the node take commands?");
    out.sample("entraide_writing", &[], u64::from(writing));
    out.family(
        "entraide_own_log_state",
        "1 for the state in which the own log is: anything but speaking wants people.",
    );
    out.sample("entraide_own_log_state", &[("state", status.log.state)], 1);
    out.family(
        "entraide_clock_behind_seconds",
        "By how much the machine's clock is behind the time that the node goes by.",
    );
    out.sample("entraide_clock_behind_seconds", &[], status.clock.as_ref().map_or(0, |clock| clock.behind));
    out.family("entraide_log_entries", "Entries of a log that are verified here.");
    out.sample("entraide_log_entries", &[("country", &status.country)], status.log.size);
    let entries = "entraide_log_entries";
    out.each(status, entries, |partner| Some(partner.size));
    out.family("entraide_objects", "Statements about objects, by whose log they stand in.");
    out.sample("entraide_objects", &[("country", &status.country)], status.objects);
    out.each(status, "entraide_objects", |partner| Some(partner.objects));
    out.family("entraide_intake", "Objects in intake, by state.");
    let intake = &status.intake;
    let states = [
        ("new", intake.new),
        ("asserted", intake.asserted),
        ("conflict", intake.conflict),
        ("dismissed", intake.dismissed),
    ];
    for (state, count) in states {
        out.sample("entraide_intake", &[("state", state)], count);
    }
    out.family("entraide_partner_lag_entries", "Entries of a partner's log that are not verified here yet.");
    out.each(status, "entraide_partner_lag_entries", |partner| match partner.lag.state {
        "in-step" => Some(0),
        _ => partner.lag.entries,
    });
    out.family("entraide_partner_state", "1 for the state in which a partner is.");
    for partner in &status.partners {
        let labels = [("country", partner.country.as_str()), ("origin", &partner.origin), ("state", &partner.state)];
        out.sample("entraide_partner_state", &labels, 1);
    }
    out.family("entraide_partner_heard", "1 if a partner answers.");
    out.each(status, "entraide_partner_heard", |partner| {
        Some(u64::from(matches!(partner.lag.state, "in-step" | "behind")))
    });
    out.family("entraide_releases_behind", "Our releases that a partner has not fetched, at most 10001.");
    out.each(status, "entraide_releases_behind", |partner| Some(partner.behind_us));
    out.family("entraide_incomplete_statements", "Statements of a partner that are missing here.");
    out.each(status, "entraide_incomplete_statements", |partner| {
        Some(partner.incomplete.iter().map(|gap| gap.missing).sum())
    });
    out.0
}

/// Text in Prometheus' exposition format; every family here is a gauge.
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, help: &str) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{escaped}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn each(&mut self, status: &Status, name: &str, value: impl Fn(&Partner) -> Option<u64>) {
        for partner in &status.partners {
            if let Some(value) = value(partner) {
                self.sample(name, &[("country", &partner.country), ("origin", &partner.origin)], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_the_format_says() {
        let mut out = Exposition(String::new());
        out.family("a", "Help.");
        out.sample("a", &[], 1);
        out.sample("a", &[("x", "1"), ("y", "q\"\\\n")], 2);
        assert_eq!(out.0, "# HELP a Help.\n# TYPE a gauge\na 1\na{x=\"1\",y=\"q\\\"\\\\\\n\"} 2\n");
    }
}
