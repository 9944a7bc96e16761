//! `/audiences`: to whom we speak, and who speaks to us together with whom.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};

use super::super::api::App;
use super::super::api::audiences::{self, Audience};
use super::super::api::refusal::Refusal;
use super::super::session::Caller;
use super::frame::{Frame, Place, origin_chip, scrolling};
use super::text::plain;

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Audiences);
    let me = app.node().me().origin.to_string();
    let Json(page) = audiences::list(State(app), caller).await?;
    let (own, theirs): (Vec<Audience>, Vec<Audience>) =
        page.items.into_iter().partition(|audience| audience.origin == me);
    let body = html! {
        h1 { "Audiences" }
        (card("own", "Ours", &own, NONE_OF_OURS))
        (card("theirs", "Of partners", &theirs, "No partner has named an audience with us in it."))
    };
    Ok(frame.page("Audiences", &body))
}

fn card(id: &str, name: &str, audiences: &[Audience], none: &str) -> Markup {
    html! {
        section class="card" aria-labelledby={ (id) "-title" } {
            div class="head" { h2 id={ (id) "-title" } { (name) } span class="quiet" { (audiences.len()) } }
            div id={ (id) "-live" } data-live {
                @if audiences.is_empty() { p class="inside" { (none) } }
                @else { (scrolling(&format!("Table: {name}"), &table(audiences))) }
            }
        }
    }
}

fn table(audiences: &[Audience]) -> Markup {
    html! {
        table class="cards" {
            caption { "Audiences with their members; the owner is not counted" }
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Owner" }
                    th scope="col" { "Kind" }
                    th scope="col" { "Members" }
                    th scope="col" { "CLEAR and GREEN" }
                    th scope="col" { "Said in" }
                }
            }
            tbody {
                @for audience in audiences {
                    tr {
                        th scope="row" { bdi { (plain(&audience.name)) } }
                        td data-l="Owner" { (origin_chip(&audience.origin)) }
                        td data-l="Kind" { (audience.kind) ", version " (audience.version) }
                        td data-l="Members" {
                            details {
                                summary {
                                    (audience.members.len())
                                    " "
                                    @for member in audience.members.iter().take(SHOWN) {
                                        (origin_chip(&member.origin)) " "
                                    }
                                    @if audience.members.len() > SHOWN { "…" }
                                }
                                ul {
                                    @for member in &audience.members {
                                        li {
                                            (origin_chip(&member.origin))
                                            " "
                                            @match &member.name {
                                                Some(name) => (plain(name)),
                                                None => span class="quiet" { "no partner of ours" },
                                            }
                                        }
                                    }
                                }
                            }
                        }
                        td data-l="CLEAR and GREEN" {
                            @if audience.ticked { "ticked" } @else { span class="quiet" { "not ticked" } }
                        }
                        td data-l="Said in" { a href={ "/objects/" (audience.entry) } { (audience.entry) } }
                    }
                }
            }
        }
    }
}

const NONE_OF_OURS: &str = "None yet: a new partner is in no audience until a person puts it there \
                            (entraide audience create).";

/// Members that are shown without opening the list: a line of a screen.
const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::super::api::audiences::Member;
    use super::*;

    #[test]
    fn names_of_audiences_are_escaped() {
        let member =
            Member { origin: "entraide/EE/REAL/0123456789abcdef".to_owned(), country: "EE".to_owned(), name: None };
        let audience = Audience {
            audience: "ab".repeat(16),
            name: "<b>Baltic".to_owned(),
            kind: "named",
            version: 3,
            members: vec![member],
            ticked: false,
            origin: "entraide/FR/REAL/0123456789abcdef".to_owned(),
            entry: "FR:3".to_owned(),
        };
        let text = table(&[audience]).into_string();
        assert!(text.contains("&lt;b&gt;Baltic") && text.contains("no partner of ours"), "{text}");
    }
}
