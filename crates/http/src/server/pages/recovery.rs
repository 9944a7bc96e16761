//! On the status page: that our own log does not speak, why, what each partner holds of it, and what two persons decide.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::recovery::{self, LogDecision, Recovery};
use super::super::api::refusal::Refusal;
use super::frame::{Frame, chip, scrolling};
use super::posted::Posted;
use super::text::{number, plain, time};

/// The card; nothing while the log speaks and nothing of it is lost.
pub fn card(frame: &Frame, recovery: &Recovery) -> Markup {
    if recovery.state == "speaking" && recovery.lost.is_empty() {
        return html! {};
    }
    let silent = recovery.state != "speaking";
    html! {
        section class=(if silent { "card alarm" } else { "card" }) aria-labelledby="recovery-title" {
            div class="head" { h2 id="recovery-title" { (title(recovery.state)) } }
            div class="inside" id="recovery-live" data-live {
                @if let Some(why) = &recovery.why { p { (plain(why)) } }
                (facts(recovery))
                @if silent { (partners(recovery)) }
            }
            @if frame.may(Permission::DecideLog) { (decide(frame, recovery)) }
        }
    }
}

fn title(state: &str) -> &'static str {
    match state {
        "recovering" => "Our log is being fetched back from partners",
        "stopped" => "Our log has stopped: another copy of this node speaks",
        _ => "Entries of our log are lost",
    }
}

fn facts(recovery: &Recovery) -> Markup {
    html! {
        p {
            strong { (number(recovery.size)) } " entries are here; "
            @if recovery.unknown { "what was signed last is not known" }
            @else if let Some(mark) = recovery.mark { strong { (number(mark)) } " were signed here last" }
            @else { "nothing was signed yet" }
            @if let Some(needs) = recovery.needs { "; " strong { (number(needs)) } " are known to have been signed" }
            "."
        }
        @if !recovery.lost.is_empty() {
            p { "Lost, since nobody who was asked has them:" }
            ul {
                @for range in &recovery.lost {
                    li {
                        "entry " (number(range.first))
                        @if range.count > 1 { " to " (number(range.first + range.count - 1)) }
                    }
                }
            }
        }
    }
}

fn partners(recovery: &Recovery) -> Markup {
    let rows = html! {
        table class="cards" {
            caption { "What each partner holds of our log" }
            thead { tr { th scope="col" { "Partner" } th scope="col" class="n" { "Entries" } th scope="col" { "Asked" } } }
            tbody {
                @for one in &recovery.partners {
                    tr {
                        th scope="row" { (chip(&one.country)) }
                        td data-l="Entries" class="n" {
                            @match one.held { Some(held) => (number(held)), None => span class="quiet" { "unknown" } }
                        }
                        td data-l="Asked" {
                            @match &one.at { Some(at) => (time(at)), None => span class="quiet" { "not yet" } }
                            @if let Some(why) = &one.why { ": " (plain(why)) }
                        }
                    }
                }
            }
        }
    };
    html! { @if !recovery.partners.is_empty() { (scrolling("Table of what partners hold of our log", &rows)) } }
}

/// The act of two persons that fits the state.
fn decide(frame: &Frame, recovery: &Recovery) -> Markup {
    let (decision, words) = match recovery.state {
        "recovering" if recovery.unknown => {
            ("speak", "Nobody has more of our log: speak from what is here. What was signed beyond it would be denied.")
        }
        "stopped" => ("resume", "The other copy is switched off for good: fetch what it said, then speak again."),
        _ => return html! {},
    };
    html! {
        form class="inside stacked" method="post" action="/recovery" {
            (frame.csrf())
            p { (words) " Two persons decide this." }
            @if let Some(proposal) = recovery.proposal.as_ref().filter(|one| one.decision == decision) {
                p { strong { (plain(&proposal.by)) } " has proposed it " (time(&proposal.at)) "; another person confirms." }
            }
            input type="hidden" name="decision" value=(decision);
            label { input type="checkbox" name="sure" value="yes" required; " I have spoken with our partners by telephone" }
            button { @if recovery.proposal.is_some() { "Confirm" } @else { "Propose" } }
        }
    }
}

/// The form's address opened by hand.
pub async fn back() -> Redirect {
    Redirect::to("/")
}

/// Takes one person's decision.
pub async fn post(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    if fields.text("sure") != "yes" {
        return Err(Refusal::unreadable("tick the box first: this step is never taken by one key alone"));
    }
    let input = fields.input(LogDecision { decision: fields.text("decision").to_owned() });
    let Json(_) = recovery::decide(State(app), caller, input).await?;
    Ok(Redirect::to("/").into_response())
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::super::super::api::recovery::{Holding, LostRange};
    use super::super::frame::tests::frame;
    use super::*;

    fn recovery(state: &'static str, unknown: bool) -> Recovery {
        Recovery {
            state,
            why: Some("a <reason>".to_owned()),
            mark: (!unknown).then_some(9),
            unknown,
            size: 7,
            needs: Some(9),
            partners: vec![Holding {
                country: "EE".to_owned(),
                origin: "entraide/EE/REAL/0123456789abcdef".to_owned(),
                at: None,
                held: Some(8),
                why: None,
            }],
            lost: vec![LostRange { first: 3, count: 2 }],
            proposal: None,
        }
    }

    #[test]
    fn a_silent_log_is_shown_with_what_to_do_to_those_who_decide() {
        let text = |state, unknown, role| card(&frame(role), &recovery(state, unknown)).into_string();
        let stopped = text("stopped", false, Role::DutyOfficer);
        assert!(
            stopped.contains("another copy of this node speaks") && stopped.contains("value=\"resume\""),
            "{stopped}"
        );
        assert!(stopped.contains("a &lt;reason&gt;"), "{stopped}");
        assert!(text("recovering", true, Role::Administrator).contains("value=\"speak\""));
        assert!(!text("recovering", false, Role::Administrator).contains("<form"), "partners must give it back");
        assert!(!text("stopped", false, Role::Viewer).contains("<form"));
        let lost = text("speaking", false, Role::Viewer);
        assert!(lost.contains("entry 3") && lost.contains(" to 4"), "{lost}");
        let whole = Recovery { lost: Vec::new(), ..recovery("speaking", false) };
        assert_eq!(card(&frame(Role::Viewer), &whole).into_string(), "");
    }
}
