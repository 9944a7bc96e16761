//! The exercises beside the real node, on its status page: which are open, and the way to each.

use maud::{Markup, html};

use super::super::api::exercises::Exercise;
use super::frame::scrolling;
use super::text::{plain, time};

/// The card; nothing if no exercise is open.
pub fn card(open: &[Exercise]) -> Markup {
    html! {
        @if !open.is_empty() {
            section class="card" aria-labelledby="exercises-title" {
                div class="head" {
                    h2 id="exercises-title" { "Exercises beside reality" }
                    span class="quiet" { "nothing crosses" }
                }
                (scrolling("Exercises", &table(open)))
            }
        }
    }
}

fn table(open: &[Exercise]) -> Markup {
    html! {
        table class="cards" {
            thead { tr { @for word in ["Realm", "Name", "State", "Its clock"] { th scope="col" { (word) } } } }
            tbody {
                @for one in open {
                    tr {
                        th scope="row" {
                            @if one.running { a href=(one.path) { (one.realm) } } @else { (one.realm) }
                        }
                        td data-l="Name" { (plain(&one.name)) }
                        td data-l="State" {
                            @match (&one.why, one.running) {
                                (Some(why), _) => strong class="bad" { "does not run: " (plain(why)) },
                                (None, true) => "runs",
                                (None, false) => "open",
                            }
                        }
                        td data-l="Its clock" { (time(&one.now)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exercise_that_runs_is_led_to_and_another_says_why_not() {
        let one = |why: Option<&str>| Exercise {
            realm: "EX-BLUE".to_owned(),
            name: "Blue <b>".to_owned(),
            origin: String::new(),
            address: String::new(),
            path: "/ex/EX-BLUE/".to_owned(),
            running: why.is_none(),
            why: why.map(str::to_owned),
            opened: String::new(),
            now: "2026-12-01T06:00:00.000000Z".to_owned(),
            ahead_seconds: 0,
            jumps: 0,
        };
        let runs = card(&[one(None)]).into_string();
        assert!(runs.contains("href=\"/ex/EX-BLUE/\"") && runs.contains("Blue &lt;b&gt;"), "{runs}");
        let not = card(&[one(Some("the port is taken"))]).into_string();
        assert!(not.contains("does not run: the port is taken") && !not.contains("href="), "{not}");
        assert_eq!(card(&[]).into_string(), "");
    }
}
