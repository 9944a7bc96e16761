//! `/objects`: what nations have said, as far as the reader may see it. Every filter stands in the address.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::objects::{self, Filter, Statement};
use super::super::api::refusal::Refusal;
use super::super::api::request::Params;
use super::super::session::Caller;
use super::frame::{Frame, Place, chip, notice, tlp};
use super::link::with_query;
use super::text::{plain, short_time, time};

/// The page.
pub async fn page(
    State(app): State<App>,
    caller: Caller,
    Params(mut filter): Params<Filter>,
) -> Result<Markup, Refusal> {
    // A form sends its empty fields too: they ask for nothing.
    for field in
        [&mut filter.country, &mut filter.kind, &mut filter.q, &mut filter.state, &mut filter.lane, &mut filter.after]
    {
        *field = field.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    filter.country = filter.country.map(|country| country.to_ascii_uppercase());
    filter.limit = None;
    // People look for what is said of the world; receipts and audiences are one choice away.
    let lane = filter.lane.take().unwrap_or_else(|| INTELLIGENCE.to_owned());
    filter.lane = (lane != EVERYTHING).then(|| lane.clone());
    let frame = Frame::of(&app, &caller, Place::Objects);
    let shown = Filter {
        country: filter.country.clone(),
        kind: filter.kind.clone(),
        q: filter.q.clone(),
        state: filter.state.clone(),
        lane: Some(lane),
        after: filter.after.clone(),
        limit: None,
    };
    let page = match objects::list(State(app), caller, Params(filter)).await {
        Ok(Json(page)) => Ok(page),
        // What was typed stays in its fields, with what is wrong about it.
        Err(Refusal(problem)) if problem.status == 400 => Err(problem.detail.unwrap_or(problem.title)),
        Err(other) => return Err(other),
    };
    let body = html! {
        h1 { "Objects" }
        (form(&shown))
        @if frame.may(Permission::Speak) {
            p { a href="/pointers" { "Point to a classified annex" } }
        }
        @match &page {
            Err(reason) => (notice("bad", reason)),
            Ok(page) => (list(&page.items, page.next.as_deref(), &shown)),
        }
    };
    Ok(frame.page("Objects", &body))
}

/// The lane that the page shows unless it is asked for another.
const INTELLIGENCE: &str = "intelligence";
/// Both lanes, as the page's address names them.
const EVERYTHING: &str = "all";

/// Types that the filter proposes; any other can be typed.
const TYPES: [&str; 13] = [
    "indicator",
    "malware",
    "threat-actor",
    "relationship",
    "sighting",
    "vulnerability",
    "attack-pattern",
    "identity",
    "infrastructure",
    "tool",
    "report",
    "note",
    "x-misp-event",
];

fn form(filter: &Filter) -> Markup {
    let value = |field: &Option<String>| field.clone().unwrap_or_default();
    html! {
        form class="filters card" method="get" action="/objects" role="search" aria-label="Filter objects" {
            div { label for="f-q" { "Name or id" } input id="f-q" name="q" type="search" value=(value(&filter.q)); }
            div {
                label for="f-country" { "Owner" }
                input id="f-country" name="country" maxlength="2" size="4" placeholder="FR"
                    value=(value(&filter.country)) autocapitalize="characters";
            }
            div {
                label for="f-type" { "Type" }
                input id="f-type" name="type" list="types" value=(value(&filter.kind));
                datalist id="types" {
                    @for kind in TYPES { option value=(kind) {} }
                }
            }
            div {
                label for="f-state" { "State" }
                select id="f-state" name="state" {
                    option value="" { "any" }
                    @for state in ["live", "withdrawn", "erased"] {
                        option value=(state) selected[filter.state.as_deref() == Some(state)] { (state) }
                    }
                }
            }
            div {
                label for="f-lane" { "About" }
                select id="f-lane" name="lane" {
                    @for (lane, words) in [(INTELLIGENCE, "the world"), ("workflow", "sharing itself"), (EVERYTHING, "both")] {
                        option value=(lane) selected[filter.lane.as_deref() == Some(lane)] { (words) }
                    }
                }
            }
            div class="go" { button { "Filter" } " " a href="/objects" { "Clear" } }
        }
    }
}

fn list(items: &[Statement], next: Option<&str>, filter: &Filter) -> Markup {
    let to = |after: Option<&str>| {
        let pairs = [
            ("q", filter.q.as_deref()),
            ("country", filter.country.as_deref()),
            ("type", filter.kind.as_deref()),
            ("state", filter.state.as_deref()),
            ("lane", filter.lane.as_deref().filter(|lane| *lane != INTELLIGENCE)),
            ("after", after),
        ];
        with_query("/objects", &pairs)
    };
    html! {
        section class="card" aria-label="Objects" {
            // Only the first page changes by itself: on others, rows would wander from page to page.
            div id="objects-live" data-live[filter.after.is_none()] {
                @if items.is_empty() { p class="inside" { "Nothing that fits, or nothing for you." } }
                @else { (table(items)) }
            }
            @if filter.after.is_some() || next.is_some() {
                nav class="pager inside" aria-label="Pages of this list" {
                    @if filter.after.is_some() { a href=(to(None)) { "Newest" } }
                    @if let Some(next) = next { a rel="next" href=(to(Some(next))) { "Older" } }
                }
            }
        }
    }
}

/// A table of statements; the whole row opens.
pub fn table(items: &[Statement]) -> Markup {
    html! {
        table class="cards rows" {
            caption { "Newest first, at most 100" }
            thead {
                tr {
                    th scope="col" { "Label" }
                    th scope="col" { "Title" }
                    th scope="col" { "Type" }
                    th scope="col" { "Owner" }
                    th scope="col" { "Version" } th scope="col" { "Arrived" }
                }
            }
            tbody { @for object in items { (row(object)) } }
        }
    }
}

fn row(object: &Statement) -> Markup {
    let country = object.entry.split(':').next().unwrap_or_default();
    html! {
        tr {
            td data-l="Label" { (tlp(&object.tlp)) }
            th scope="row" {
                a class="whole-row" href={ "/objects/" (object.entry) } { bdi { (title(object)) } }
                @if object.state != "live" { " " span class="state" { (object.state) } }
                @if object.revoked { " " span class="state" { "revoked" } }
                @if object.repudiated { " " span class="state" { "repudiated" } }
                div class="quiet" { code { (object.entry) } }
            }
            td data-l="Type" { (object.kind) }
            td data-l="Owner" { (chip(country)) }
            td data-l="Version" { (version(&object.version)) }
            td data-l="Arrived" { (time(&object.arrived)) }
        }
    }
}

/// The name of an object for people, or its id.
pub fn title(object: &Statement) -> String {
    object.title.as_deref().filter(|title| !title.trim().is_empty()).map_or_else(|| object.stix_id.clone(), plain)
}

/// The object's own version, with its year: it may be old. 1970 stands for none (the API's contract).
pub fn version(rfc3339: &str) -> Markup {
    if rfc3339.starts_with("1970-01-01T00:00:00") {
        return html! { span class="quiet" { "none" } };
    }
    let short = short_time(rfc3339);
    let (day, clock) = short.rsplit_once(' ').unwrap_or((&short, ""));
    let year = rfc3339.get(..4).unwrap_or_default();
    html! { time datetime=(rfc3339) title=(rfc3339) { (day) " " (year) " " (clock) } }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn object(title: Option<&str>) -> Statement {
        Statement {
            entry: "FR:12".to_owned(),
            origin: "entraide/FR/REAL/0123456789abcdef".to_owned(),
            index: 12,
            stix_id: "malware--26ffb872-1dd9-446e-b6f5-d58527e5b5d2".to_owned(),
            kind: "malware".to_owned(),
            version: "2026-11-24T13:54:00.000000Z".to_owned(),
            media: "application/stix+json;version=2.1".to_owned(),
            tlp: "amber".to_owned(),
            pap: None,
            wall: None,
            title: title.map(str::to_owned),
            state: "live",
            revoked: false,
            repudiated: false,
            lane: "intelligence",
            audience: "ab".repeat(16),
            thread: "cd".repeat(16),
            thread_version: 0,
            commitment: "ef".repeat(32),
            arrived: "2026-11-24T13:55:00.000000Z".to_owned(),
        }
    }

    #[test]
    fn hostile_titles_are_text() {
        let hostile = object(Some("<script>alert(1)</script>\u{202E}\" onmouseover=\"x"));
        let text = table(&[hostile]).into_string();
        assert!(!text.contains("<script") && text.contains("&lt;script&gt;") && !text.contains('\u{202E}'), "{text}");
        assert!(!text.contains("\" onmouseover=\""), "{text}");
    }

    #[test]
    fn objects_without_a_name_go_by_their_id() {
        assert_eq!(title(&object(None)), "malware--26ffb872-1dd9-446e-b6f5-d58527e5b5d2");
        assert_eq!(title(&object(Some(" "))), "malware--26ffb872-1dd9-446e-b6f5-d58527e5b5d2");
        assert_eq!(title(&object(Some("Blue Lynx"))), "Blue Lynx");
    }

    #[test]
    fn versions_carry_their_year() {
        let check = |version_of, expect: &str| {
            let text = version(version_of).into_string();
            assert!(text.contains(expect), "{text}");
        };
        check("2019-11-20T08:00:00.000000Z", ">20 Nov 2019 08:00Z<");
        check("1970-01-01T00:00:00.000000Z", ">none<");
    }

    #[test]
    fn filters_stay_in_the_address() {
        let filter = Filter { q: Some("a&b".to_owned()), kind: Some("malware".to_owned()), ..Filter::default() };
        let text = list(&[object(None)], Some("77"), &filter).into_string();
        assert!(text.contains("/objects?q=a%26b&amp;type=malware&amp;after=77"), "{text}");
        assert!(text.contains("data-live"), "{text}");
    }
}
