//! `/`: how the node stands in one sentence, and how it stands with each partner.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::recovery::{self, Recovery};
use super::super::api::red;
use super::super::api::refusal::Refusal;
use super::super::api::status::{self, Evidence, Lag, OwnLog, Partner, Status};
use super::super::session::Caller;
use super::exercises;
use super::frame::{Frame, Place, chip, scrolling, verbatim};
use super::text::{clock, number, plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Status);
    let Json(red) = red::for_you(State(app.clone()), caller.clone()).await?;
    let beside = super::super::api::exercises::beside(&app).await?;
    let Json(status) = status::status(State(app.clone()), caller).await?;
    let recovery = recovery::read(&app).await?;
    Ok(frame.page("Status", &html! { (body(&frame, &status, &recovery, red.count)) (exercises::card(&beside)) }))
}

/// Boards show a number of RED, to those alone who are named for it.
fn for_you(count: usize) -> Markup {
    html! {
        p id="red-live" data-live {
            @match count {
                0 => {}
                1 => a class="button" href="/red" { "1 RED statement is for you" },
                more => a class="button" href="/red" { (more) " RED statements are for you" },
            }
        }
    }
}

fn body(frame: &Frame, status: &Status, recovery: &Recovery, red: usize) -> Markup {
    html! {
        h1 class="sentence" id="sentence" data-live { (sentence(&status.partners)) }
        (super::recovery::card(frame, recovery))
        (super::clock::card(frame, status.clock.as_ref()))
        (for_you(red))
        (held(frame, status))
        section class="card" aria-labelledby="partners-title" {
            div class="head" {
                h2 id="partners-title" { "Partners" }
                a href="/partners" { "Invite, accept, confirm" }
            }
            div id="partners-live" data-live { (partners(&status.partners)) }
        }
        div class="columns" {
            section class="card" aria-labelledby="own-title" {
                div class="head" { h2 id="own-title" { "Our log" } a href="/log" { "Entries" } }
                div class="inside" id="own-live" data-live {
                    p {
                        strong { (number(status.log.size)) }
                        " entries signed, "
                        strong { (number(status.objects)) }
                        " objects of ours"
                    }
                    (witnessed(&status.log))
                    (verbatim("Checkpoint of our log", &status.log.checkpoint))
                    p class="quiet" { "Origin " code { (status.origin) } }
                    @if frame.may(Permission::Operate) { p { a href="/keys" { "Keys" } } }
                    p { a href="/reserve" { "Reserve dossiers" } }
                }
            }
            section class="card" aria-labelledby="intake-title" {
                div class="head" { h2 id="intake-title" { "Intake" } span class="quiet" { "received, not said" } }
                dl class="counts inside" id="intake-live" data-live {
                    div { dt { "New" } dd { (number(status.intake.new)) } }
                    div { dt { "Asserted" } dd { (number(status.intake.asserted)) } }
                    div { dt { "Conflict" } dd { (number(status.intake.conflict)) } }
                    div { dt { "Dismissed" } dd { (number(status.intake.dismissed)) } }
                }
            }
        }
    }
}

/// How far partners have cosigned our log: what they have seen cannot be taken back unnoticed.
fn witnessed(log: &OwnLog) -> Markup {
    html! {
        (cosigned(log))
        @if let (Some(size), Some(at)) = (log.stamped, &log.stamped_at) {
            p { strong { (number(size)) } " stamped by a time authority " span class="quiet" { (time(at)) } }
        }
    }
}

fn cosigned(log: &OwnLog) -> Markup {
    let quorum = html! { (log.threshold) " of " (log.witnesses) " witnesses" };
    match (log.witnesses, log.witnessed) {
        (0, _) => html! { p class="quiet" { "No witness cosigns this log." } },
        (_, None) => html! { p { strong class="warn" { "Not witnessed yet" } " by " (quorum) } },
        (_, Some(size)) if size < log.size => {
            html! { p { strong { (number(size)) } " witnessed by " (quorum) ", " (number(log.size - size)) " received" } }
        }
        (_, Some(_)) => html! { p { "All witnessed by " (quorum) } },
    }
}

/// The state of all partners in one sentence.
fn sentence(partners: &[Partner]) -> Markup {
    let active: Vec<&Partner> =
        partners.iter().filter(|partner| matches!(partner.state.as_str(), "active" | "held")).collect();
    let waiting = partners.len() - active.len() - partners.iter().filter(|partner| partner.state == "cut").count();
    let of = |state: &str| active.iter().filter(|partner| partner.lag.state == state).count();
    let in_step = of("in-step");
    let mut parts: Vec<Markup> = Vec::new();
    match active.len() {
        0 => parts.push(html! { "No partner yet" }),
        1 if in_step == 1 => parts.push(html! { "The one partner is in step" }),
        all => parts.push(html! { strong { (in_step) } " of " strong { (all) } " partners in step" }),
    }
    let silent: Vec<&&Partner> = active.iter().filter(|partner| partner.lag.state == "not-heard").collect();
    if let [one] = silent.as_slice() {
        let since = one.lag.heard.as_deref().map(|heard| format!(" since {}", clock(heard))).unwrap_or_default();
        parts.push(html! { strong class="warn" { (one.country) } " not heard" (since) });
    } else if !silent.is_empty() {
        parts.push(html! { strong class="warn" { (silent.len()) } " not heard" });
    }
    for (state, class, word) in
        [("behind", "warn", "behind"), ("held", "bad", "held"), ("unknown", "quiet", "not asked yet")]
    {
        let count = of(state);
        if count > 0 {
            parts.push(html! { strong class=(class) { (count) } " " (word) });
        }
    }
    let gaps = active.iter().filter(|partner| !partner.incomplete.is_empty()).count();
    if gaps > 0 {
        parts.push(html! { strong class="warn" { (gaps) } " incomplete" });
    }
    let successors = partners.iter().filter(|partner| partner.successor.is_some()).count();
    if successors > 0 {
        parts.push(
            html! { strong class="warn" { (successors) } " with a " a href="/partners" { "successor log to confirm" } },
        );
    }
    if waiting > 0 {
        parts.push(html! { strong { (waiting) } " to confirm" });
    }
    html! { @for (at, part) in parts.iter().enumerate() { @if at > 0 { ", " } (part) } "." }
}

fn partners(partners: &[Partner]) -> Markup {
    if partners.is_empty() {
        let invite = html! { a href="/partners" { "invite the first one" } };
        return html! { p class="inside" { "This node has no partner. It works alone; " (invite) "." } };
    }
    scrolling(
        "Table of partners",
        &html! {
            table class="cards" {
                caption { "Partner by partner: how we stand with its log, and how it stands with ours" }
                thead {
                    tr {
                        th scope="col" { "Partner" }
                        th scope="col" { "Class" }
                        th scope="col" { "State" }
                        th scope="col" { "Lag" }
                        th scope="col" class="n" { "Entries" } th scope="col" class="n" { "Objects" }
                        th scope="col" { "Fetched from us" } th scope="col" { "Incomplete" }
                    }
                }
                tbody { @for partner in partners { (row(partner)) } }
            }
        },
    )
}

fn row(partner: &Partner) -> Markup {
    html! {
        tr {
            th scope="row" { (chip(&partner.country)) " " (plain(&partner.name)) }
            td data-l="Class" { (partner.class) }
            td data-l="State" { (partner.state.replace('-', " ")) }
            td data-l="Lag" { (lag(&partner.lag)) }
            td data-l="Entries" class="n" { (number(partner.size)) }
            td data-l="Objects" class="n" { (number(partner.objects)) }
            td data-l="Fetched from us" {
                @match &partner.fetched { Some(at) => (time(at)), None => span class="quiet" { "never" } }
                @if partner.behind_us > 0 { ", " strong class="warn" { (number(partner.behind_us)) } " to fetch" }
            }
            td data-l="Incomplete" {
                @if partner.incomplete.is_empty() && partner.beyond.is_empty() { span class="quiet" { "no" } }
                @for gap in &partner.incomplete {
                    span class="gap" { strong class="warn" { (number(gap.missing)) } " missing, " (gap.lane) }
                }
                @for one in &partner.beyond {
                    span class="gap" {
                        (one.by) " says that it has " strong class="warn" { (number(one.more)) " more" } ", " (one.lane)
                        " " span class="quiet" { (time(&one.since)) }
                    }
                }
            }
        }
    }
}

/// A lag in words, with its reason.
fn lag(lag: &Lag) -> Markup {
    let heard = html! { @if let Some(heard) = &lag.heard { " " span class="quiet" { (time(heard)) } } };
    let why = html! { @if let Some(why) = &lag.why { ": " (plain(why)) } };
    match lag.state {
        "in-step" => html! { span class="dot good" {} "in step" (heard) },
        "behind" => html! { span class="dot warn" {} strong { (number(lag.entries.unwrap_or(0))) } " behind" (heard) },
        "not-heard" => {
            html! {
                span class="dot warn" {} "not heard since" @if lag.heard.is_none() { " it was confirmed" } (heard) (why)
            }
        }
        "held" => html! { span class="dot bad" {} "held" (why) },
        _ => html! { span class="dot" {} "not asked yet" },
    }
}

fn held(frame: &Frame, status: &Status) -> Markup {
    let stopped: Vec<&Partner> = status.partners.iter().filter(|partner| is_held(partner)).collect();
    html! {
        @if !stopped.is_empty() {
            section class="card alarm" aria-labelledby="held-title" {
                div class="head" { h2 id="held-title" { "Held partners" } }
                @for partner in stopped { (evidence_box(frame, partner, &status.evidence)) }
            }
        }
    }
}

fn is_held(partner: &Partner) -> bool {
    partner.state == "held" || (partner.lag.state == "held" && partner.state == "active")
}

fn evidence_box(frame: &Frame, partner: &Partner, evidence: &[Evidence]) -> Markup {
    let kept: Vec<&Evidence> = evidence.iter().filter(|row| row.partner == partner.origin).collect();
    html! {
        article class="inside evidence" aria-label={ "Held: " (plain(&partner.name)) } {
            h3 {
                (chip(&partner.country)) " " (plain(&partner.name)) " is "
                @if kept.is_empty() {
                    "held by a person’s decision"
                } @else { strong class="bad" { "held with evidence" } }
            }
            @if let Some(reason) = partner.held_reason.as_ref().or(partner.lag.why.as_ref()) { p { (plain(reason)) } }
            @if !kept.is_empty() {
                ul {
                    @for row in &kept {
                        li {
                            (time(&row.at)) " " strong { (plain(&row.kind)) } ": " (plain(&row.summary))
                            @if matches!(row.kind.as_str(), "fork" | "slot-conflict") {
                                " " a href={ "/api/v1/evidence/" (row.id) } { "Evidence as a file" }
                            }
                        }
                    }
                }
            }
            p class="quiet" {
                "Nothing of it is taken while it is held. Speak with its people before you resume or cut."
            }
            @if frame.may(Permission::ManagePartners) { (decide(frame, partner)) }
        }
    }
}

/// The two ways out of being held.
fn decide(frame: &Frame, partner: &Partner) -> Markup {
    html! {
        div class="buttons" {
            form method="post" action="/partners/change" {
                (frame.csrf())
                input type="hidden" name="partner" value=(partner.origin);
                button name="to" value="resume" { "Resume " (partner.country) }
            }
            details {
                summary { "Cut " (partner.country) "…" }
                (super::partners::cut_form(frame, &partner.origin, &partner.country))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::super::super::api::status::Incomplete;
    use super::super::frame::tests::frame;
    use super::*;

    fn partner(country: &str, state: &str, lag: &'static str, heard: Option<&str>) -> Partner {
        Partner {
            origin: format!("entraide/{country}/REAL/0123456789abcdef"),
            country: country.to_owned(),
            name: format!("CERT-{country} <script>"),
            class: "eu-state".to_owned(),
            reach: "node".to_owned(),
            state: state.to_owned(),
            address: "192.0.2.1:7443".to_owned(),
            words: None,
            successor: None,
            since: "2026-11-24T13:54:00.000000Z".to_owned(),
            held_reason: None,
            size: 1_204,
            objects: 7,
            lag: Lag { state: lag, entries: Some(3), heard: heard.map(str::to_owned), why: None },
            behind_us: 0,
            fetched: None,
            incomplete: Vec::new(),
            beyond: Vec::new(),
        }
    }

    fn words(markup: Markup) -> String {
        let mut text = String::new();
        let mut inside = false;
        for letter in markup.into_string().chars() {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                letter if !inside => text.push(letter),
                _ => {}
            }
        }
        text
    }

    #[test]
    fn the_state_is_one_sentence() {
        let check = |partners: &[Partner], expect: &str| assert_eq!(words(sentence(partners)), expect);
        let step = |country| partner(country, "active", "in-step", None);
        check(&[], "No partner yet.");
        check(&[step("EE")], "The one partner is in step.");
        check(&[step("EE"), step("DE")], "2 of 2 partners in step.");
        let silent = || partner("MT", "active", "not-heard", Some("2026-11-24T13:10:00.000000Z"));
        let held = partner("SI", "held", "held", None);
        check(&[step("EE"), silent(), held], "1 of 3 partners in step, MT not heard since 13:10Z, 1 held.");
        let mut gap = step("DE");
        gap.incomplete.push(Incomplete { audience: "ab".to_owned(), lane: "intelligence", missing: 2 });
        let new = partner("PL", "awaiting-confirmation", "unknown", None);
        let cut = partner("RO", "cut", "unknown", None);
        check(&[gap, new, cut], "The one partner is in step, 1 incomplete, 1 to confirm.");
        let behind = partner("LV", "active", "behind", None);
        let unasked = partner("LT", "active", "unknown", None);
        check(
            &[silent(), silent(), behind, unasked],
            "0 of 4 partners in step, 2 not heard, 1 behind, 1 not asked yet.",
        );
    }

    #[test]
    fn held_partners_are_shown_with_their_evidence_and_the_way_out() {
        let row = |origin: &str| Evidence {
            id: 1,
            partner: origin.to_owned(),
            at: "2026-11-24T13:54:00.000000Z".to_owned(),
            kind: "consistency".to_owned(),
            summary: "two checkpoints of size 7 <do not fit>".to_owned(),
        };
        let held = partner("SI", "held", "held", None);
        let shown = |role, evidence: &[Evidence]| evidence_box(&frame(role), &held, evidence).into_string();
        let text = shown(Role::Liaison, &[row(&held.origin), row("entraide/EE/REAL/0123456789abcdef")]);
        assert!(text.contains("held with evidence") && text.contains("&lt;do not fit&gt;"), "{text}");
        assert_eq!(text.matches("two checkpoints").count(), 1);
        assert!(
            text.contains("Resume SI") && text.contains("Cut SI") && text.contains("name=\"csrf\" value=\"abab"),
            "{text}"
        );
        let text = shown(Role::Viewer, &[]);
        assert!(text.contains("held by a person’s decision") && !text.contains("<button"), "{text}");
        assert!(is_held(&held) && is_held(&partner("SI", "active", "held", None)));
        assert!(!is_held(&partner("SI", "cut", "held", None)));
    }

    #[test]
    fn names_of_partners_are_escaped() {
        let text = partners(&[partner("EE", "active", "in-step", None)]).into_string();
        assert!(text.contains("CERT-EE &lt;script&gt;") && !text.contains("<script"), "{text}");
    }

    #[test]
    fn lags_say_why() {
        let mut silent = partner("MT", "active", "not-heard", Some("2026-11-24T13:10:00.000000Z"));
        silent.lag.why = Some("no connection".to_owned());
        assert_eq!(words(lag(&silent.lag)), "not heard since 24 Nov 13:10Z: no connection");
        assert_eq!(words(lag(&partner("LV", "active", "behind", None).lag)), "3 behind");
    }
}
