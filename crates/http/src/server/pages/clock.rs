//! On the status page: that the machine's clock was set back or jumped, what that does, and that a person has looked.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::operate;
use super::super::api::refusal::Refusal;
use super::super::api::status::Clock;
use super::frame::Frame;
use super::posted::Posted;
use super::text::{number, time};

/// The card; nothing while the clock goes on as it should.
pub fn card(frame: &Frame, clock: Option<&Clock>) -> Markup {
    let Some(clock) = clock else { return html! {} };
    let behind = clock.behind >= node::limits::CLOCK_DOUBT_SECONDS;
    html! {
        section class="card alarm" aria-labelledby="clock-title" {
            div class="head" { h2 id="clock-title" { (title(behind)) } }
            div class="inside" {
                p {
                    "It shows " (time(&clock.shows)) ", and the node goes by " (time(&clock.goes_by)) ": "
                    @if behind {
                        strong { (number(clock.behind)) } " seconds more. What runs out does so by that time, never later; \
                        one-time codes are compared with what the clock shows."
                    } @else {
                        strong { (number(clock.jumped)) } " seconds forward since the node was started, or the machine slept. \
                        What has run out by it is shown as run out, and nothing is deleted for it."
                    }
                }
                p { "Compare it with another clock. If it is wrong, set it right (NTP) first; then say here that it is right." }
            }
            @if frame.may(Permission::Operate) { (accept(frame)) }
        }
    }
}

fn title(behind: bool) -> &'static str {
    if behind { "The machine's clock is behind" } else { "The machine's clock jumped forward" }
}

fn accept(frame: &Frame) -> Markup {
    html! {
        form class="inside stacked" method="post" action="/clock" {
            (frame.csrf())
            label { input type="checkbox" name="sure" value="yes" required; " I have compared it with another clock" }
            button { "The machine's clock is right" }
        }
    }
}

/// The form's address opened by hand.
pub async fn back() -> Redirect {
    Redirect::to("/")
}

/// Takes a person's word for it.
pub async fn post(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    if fields.text("sure") != "yes" {
        return Err(Refusal::unreadable("tick the box first: with a wrong clock every deadline would be wrong"));
    }
    let Json(_) = operate::clock(State(app), caller).await?;
    Ok(Redirect::to("/").into_response())
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::super::frame::tests::frame;
    use super::*;

    #[test]
    fn a_clock_in_doubt_is_shown_to_all_and_accepted_by_whoever_operates_the_node() {
        let doubt = |behind, jumped| Clock {
            shows: "2026-11-25T08:00:00.000000Z".to_owned(),
            goes_by: "2026-11-25T09:00:00.000000Z".to_owned(),
            behind,
            jumped,
        };
        let text = |role, clock: Option<&Clock>| card(&frame(role), clock).into_string();
        assert_eq!(text(Role::Administrator, None), "");
        let behind = text(Role::Administrator, Some(&doubt(3_600, 0)));
        assert!(behind.contains("is behind") && behind.contains("/clock") && behind.contains("<strong>3"), "{behind}");
        let jumped = text(Role::Viewer, Some(&doubt(0, 86_400)));
        assert!(
            jumped.contains("jumped forward") && jumped.contains("<strong>86") && !jumped.contains("<form"),
            "{jumped}"
        );
    }
}
