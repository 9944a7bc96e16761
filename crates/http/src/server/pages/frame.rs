//! What stands around every page: the way in for keyboards, the navigation, who is logged in, an exercise's banner;
//! and the small things that all pages show: countries, labels, commitments.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::bytes::hex;
use model::{Desk, Origin, Realm};
use node::Permission;

use super::super::api::App;
use super::super::session::{By, Caller};
use super::assets::LINKS;
use super::limits;
use super::posted::CSRF_FIELD;
use super::text::{clock, plain, short_time};

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// How the node stands.
    Status,
    /// Objects.
    Objects,
    /// Logs and proofs.
    Log,
    /// Audiences.
    Audiences,
    /// Partners.
    Partners,
    /// What awaits a second signature.
    Acts,
    /// Who is on duty.
    Roster,
    /// Spills, legal holds and retention.
    Keeping,
}

const PLACES: [(Place, &str, &str, &str); 8] = [
    (Place::Status, "/", "Status", "M2 7l6-5 6 5v7H2z"),
    (Place::Objects, "/objects", "Objects", "M8 1l6 3.5v7L8 15l-6-3.5v-7zM2 4.500l6 3.500 6-3.500M8 8v7"),
    (Place::Log, "/log", "Log", "M3 1.500h10v13H3zM5.500 5h5M5.500 8h5M5.500 11h5"),
    (
        Place::Audiences,
        "/audiences",
        "Audiences",
        "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    ),
    (
        Place::Partners,
        "/partners",
        "Partners",
        "M5 8a3 3 0 1 1 0-6 3 3 0 0 1 0 6zM1 14c0-5 8-5 8 0M11 4a2.500 2.500 0 1 1 0 5M11 10.500c3 0 4 1.500 4 3.500",
    ),
    (Place::Acts, "/acts", "Second signature", "M2 11c2-7 4-7 4-2s2 4 3 0 2 0 5 1M2 14h12"),
    (Place::Roster, "/roster", "Duty roster", "M2 3h12v11H2zM2 6h12M5 1v3M11 1v3M5 9h2M9 9h2M5 11.500h2"),
    (Place::Keeping, "/keeping", "Keeping", "M2 2h12v4H2zM3 6h10v8H3zM6 9h4"),
];

/// Who is logged in, as the frame shows it.
struct Person {
    name: String,
    roles: String,
    csrf: String,
    caller: Caller,
}

/// The surroundings of one page.
pub struct Frame {
    realm: Realm,
    country: String,
    node: String,
    now: String,
    change: String,
    place: Option<Place>,
    person: Option<Person>,
    /// The highest that this node may hold, on every page and so beside every form (2013/488/EU).
    ceiling: &'static str,
}

impl Frame {
    /// Around a page of somebody who is logged in. Made before the page is read, so that changes meanwhile are told.
    pub fn of(app: &App, caller: &Caller, place: Place) -> Self {
        let (name, csrf) = match &caller.by {
            By::Session { csrf, name, .. } => (name.clone(), hex(csrf)),
            By::Token | By::LocalSocket => (caller.actor.login.clone(), String::new()),
        };
        let roles = caller.actor.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", ");
        let person = Person { name, roles, csrf, caller: caller.clone() };
        Self { place: Some(place), person: Some(person), ..Self::outside(app) }
    }

    /// Around a page of somebody who is logged in that the navigation does not lead to.
    pub fn of_nowhere(app: &App, caller: &Caller) -> Self {
        Self { place: None, ..Self::of(app, caller, Place::Status) }
    }

    /// Around a page that anybody sees: the login and refusals.
    pub fn outside(app: &App) -> Self {
        let me = app.node().me();
        let change = *app.node().changes().borrow();
        Self {
            realm: me.realm().clone(),
            country: me.origin.country().to_string(),
            node: me.name.clone(),
            now: app.node().now().to_string(),
            change: format!("{}.{}", change.commits, change.signed),
            place: None,
            person: None,
            ceiling: app.ctx.ceiling.sentence(),
        }
    }

    /// May the person do this? Buttons that would be refused are not shown.
    pub fn may(&self, permission: Permission) -> bool {
        self.person.as_ref().is_some_and(|person| person.caller.actor.require(permission).is_ok())
    }

    /// Is the reader at a desk before which the wall stands (NIS2 Art 30(2))?
    fn is_before_the_wall(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.caller.actor.desk.supervises())
    }

    /// May the person disclose what stands behind the wall? The entity told it to the CSIRT.
    pub fn may_disclose(&self) -> bool {
        let is_csirt =
            |person: &Person| person.caller.actor.desk == Desk::Csirt && person.caller.actor.person.is_some();
        self.may(Permission::Speak) && self.person.as_ref().is_some_and(is_csirt)
    }

    /// The hidden field of every form that changes something.
    pub fn csrf(&self) -> Markup {
        html! { input type="hidden" name=(CSRF_FIELD) value=(self.person.as_ref().map_or("", |person| &person.csrf)); }
    }

    /// The whole page.
    pub fn page(&self, title: &str, main: &Markup) -> Markup {
        let exercise = self.realm != Realm::Real;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { @if exercise { "EXERCISE · " } (title) " · Entraide " (self.country) " · " (self.realm) }
                    link rel="icon" type="image/svg+xml" href=(LINKS.icon);
                    link rel="stylesheet" href=(LINKS.style);
                    @if self.person.is_some() { script src=(LINKS.live) defer {} }
                }
                body class=(if self.person.is_some() { "in" } else { "out" }) data-change=(self.change) {
                    a class="skip" href="#main" { "Skip to the content" }
                    @if exercise {
                        div class="exercise" role="region" aria-label="Exercise" {
                            span {
                                strong { "EXERCISE EXERCISE EXERCISE" }
                                " – "
                                strong { (self.realm) }
                                " – nothing here is real"
                            }
                        }
                    }
                    @if let Some(person) = &self.person { (self.side()) (self.bar(person)) }
                    main id="main" tabindex="-1" {
                        @if self.is_before_the_wall() {
                            // No number: how much was told is itself behind the wall.
                            p class="notice wall" role="note" {
                                "You are at a supervising desk: what was told voluntarily is not shown."
                            }
                        }
                        (main)
                        p class="ceiling" { (self.ceiling) }
                    }
                }
            }
        }
    }

    fn side(&self) -> Markup {
        html! {
            header class="side" {
                a class="brand" href="/" { (brand()) "Entraide" }
                nav aria-label="Pages" {
                    ul {
                        @for (place, address, word, path) in PLACES {
                            li {
                                a href=(address) aria-current=[(self.place == Some(place)).then_some("page")] {
                                    svg viewBox="0 0 16 16" aria-hidden="true" { path d=(path) {} }
                                    (word)
                                }
                            }
                        }
                        li {
                            a href="/console/" {
                                svg viewBox="0 0 16 16" aria-hidden="true" {
                                    path d="M1.500 2.500h13v9h-13zM5 14h6M8 11.500V14" {}
                                }
                                "Console"
                            }
                        }
                    }
                }
                p class="whose" { (chip(&self.country)) " " (plain(&self.node)) " " strong class="realm" { (self.realm) } }
            }
        }
    }

    fn bar(&self, person: &Person) -> Markup {
        html! {
            div class="bar" role="region" aria-label="Time and account" {
                p id="live" class="live" data-now=(self.now) data-events="/api/v1/events" { "As of " (short_time(&self.now)) }
                p class="now" { strong { (clock(&self.now)) } }
                p class="person" title=(person.roles) { "Logged in as " a href="/account" { strong { (plain(&person.name)) } } }
                form method="post" action="/logout" { (self.csrf()) button class="plain" { "Log out" } }
            }
        }
    }
}

/// The two rings.
pub fn brand() -> Markup {
    html! {
        svg class="rings" viewBox="0 0 24 16" aria-hidden="true" {
            circle cx="8.500" cy="8" r="6" class="ring-a" {}
            circle cx="15.500" cy="8" r="6" class="ring-b" {}
        }
    }
}

/// A country by its two letters.
pub fn chip(country: &str) -> Markup {
    html! { abbr class="chip" title=[name_of(country)] { (plain(country)) } }
}

/// The country of an origin; the origin itself if it can't be read.
pub fn origin_chip(origin: &str) -> Markup {
    match origin.parse::<Origin>() {
        Ok(origin) => chip(origin.country().as_str()),
        Err(_) => html! { code { (plain(origin)) } },
    }
}

/// A label of TLP 2.0 as FIRST prescribes it: in its colour on black, never translated.
pub fn tlp(word: &str) -> Markup {
    let class = match word {
        "red" => "tlp tlp-red",
        "amber" | "amber+strict" => "tlp tlp-amber",
        "green" => "tlp tlp-green",
        _ => "tlp tlp-clear",
    };
    html! { span class=(class) { "TLP:" (word.to_ascii_uppercase()) } }
}

/// A commitment: short, and whole on demand.
pub fn commitment(hex: &str) -> Markup {
    html! {
        details class="hex" {
            summary { code { (hex.get(..limits::SHORT_HEX).unwrap_or(hex)) "…" } }
            code class="whole" { (hex) }
        }
    }
}

/// A table that scrolls inside its own box on narrow screens, so that the page never scrolls sideways. The box takes
/// the keyboard's focus, or it could not be scrolled without a mouse (WCAG 2.1.1).
pub fn scrolling(name: &str, table: &Markup) -> Markup {
    html! { div class="scroll" role="region" aria-label=(name) tabindex="0" { (table) } }
}

/// A message about what was just refused or done.
pub fn notice(class: &str, text: &str) -> Markup {
    html! { p class={ "notice " (class) } role=(if class == "bad" { "alert" } else { "status" }) { (plain(text)) } }
}

/// A note as it is served: signed text, byte for byte.
pub fn verbatim(name: &str, text: &str) -> Markup {
    html! { pre class="note" tabindex="0" role="region" aria-label=(name) { (PreEscaped(escape_note(text))) } }
}

fn escape_note(text: &str) -> String {
    // Notes hold line breaks, so only the template's escaping applies here: `plain` would replace them.
    html! { (text) }.into_string()
}

/// The English short names of the Publications Office's interinstitutional style guide, for the letters of the Union,
/// its bodies and its nearest.
fn name_of(country: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 32] = [
        ("AT", "Austria"),
        ("BE", "Belgium"),
        ("BG", "Bulgaria"),
        ("CH", "Switzerland"),
        ("CY", "Cyprus"),
        ("CZ", "Czechia"),
        ("DE", "Germany"),
        ("DK", "Denmark"),
        ("EE", "Estonia"),
        ("EL", "Greece"),
        ("ES", "Spain"),
        ("EU", "European Union"),
        ("FI", "Finland"),
        ("FR", "France"),
        ("HR", "Croatia"),
        ("HU", "Hungary"),
        ("IE", "Ireland"),
        ("IS", "Iceland"),
        ("IT", "Italy"),
        ("LI", "Liechtenstein"),
        ("LT", "Lithuania"),
        ("LU", "Luxembourg"),
        ("LV", "Latvia"),
        ("MT", "Malta"),
        ("NL", "Netherlands"),
        ("NO", "Norway"),
        ("PL", "Poland"),
        ("PT", "Portugal"),
        ("RO", "Romania"),
        ("SE", "Sweden"),
        ("SI", "Slovenia"),
        ("SK", "Slovakia"),
    ];
    NAMES.iter().find(|(letters, _)| *letters == country).map(|(_, name)| *name)
}

#[cfg(test)]
pub mod tests {
    use model::{Country, Role};
    use node::Actor;

    use super::*;

    /// The surroundings of somebody with one role, in an exercise.
    pub fn frame(role: Role) -> Frame {
        let actor = Actor { person: None, login: "anna".to_owned(), desk: Desk::Csirt, roles: vec![role] };
        let by = By::Session { token: [0; 32], csrf: [0xab; 32], name: "Anna <b>".to_owned() };
        let person = Person {
            name: "Anna <b>".to_owned(),
            roles: role.word().to_owned(),
            csrf: hex(&[0xab; 32]),
            caller: Caller { actor, by },
        };
        Frame {
            realm: "EX-LYNX".parse().unwrap(),
            country: "FR".to_owned(),
            node: "CERT-FR".to_owned(),
            now: "2026-11-24T13:54:00.000000Z".to_owned(),
            change: "1.1".to_owned(),
            place: Some(Place::Status),
            person: Some(person),
            ceiling: intake::Classification::Unclassified.sentence(),
        }
    }

    #[test]
    fn an_exercise_never_looks_real() {
        let page = |realm: &str| {
            let frame = Frame { realm: realm.parse().unwrap(), ..frame(Role::Viewer) };
            frame.page("Status", &html! {}).into_string()
        };
        let exercise = page("EX-LYNX");
        assert!(exercise.contains("<title>EXERCISE · ") && exercise.contains(" – nothing here is real"), "{exercise}");
        assert!(exercise.contains("EX-LYNX</title>") && page("REAL").contains("REAL</title>"), "{exercise}");
        assert!(exercise.contains("Anna &lt;b&gt;"), "{exercise}");
        assert!(!page("REAL").contains("EXERCISE"));
    }

    #[test]
    fn a_supervising_desk_is_told_that_it_stands_before_the_wall_and_no_number() {
        let page = |desk: Desk| {
            let mut frame = frame(Role::Viewer);
            if let Some(person) = &mut frame.person {
                person.caller.actor.desk = desk;
            }
            frame.page("Status", &html! {}).into_string()
        };
        let bar = "You are at a supervising desk: what was told voluntarily is not shown.";
        for desk in Desk::ALL {
            assert_eq!(page(*desk).contains(bar), desk.supervises(), "{desk}");
        }
    }

    #[test]
    fn every_page_names_the_ceiling_of_its_node() {
        for ceiling in intake::Classification::ALL {
            let frame = Frame { ceiling: ceiling.sentence(), ..frame(Role::Viewer) };
            let page = frame.page("Status", &html! {}).into_string();
            assert!(page.contains(ceiling.sentence()), "{page}");
        }
    }

    #[test]
    fn nothing_stands_inline() {
        let page = frame(Role::Viewer).page("Status", &html! {}).into_string();
        assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");
        let is_handler = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_lowercase()).starts_with('=');
        assert!(!page.split(" on").skip(1).any(is_handler), "{page}");
        assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/assets/").count());
    }

    #[test]
    fn labels_stand_in_their_colours() {
        let check = |word, class: &str, text: &str| {
            let markup = tlp(word).into_string();
            assert!(markup.contains(class) && markup.contains(text), "{markup}");
        };
        check("red", "tlp-red", "TLP:RED");
        check("amber+strict", "tlp-amber", "TLP:AMBER+STRICT");
        check("green", "tlp-green", "TLP:GREEN");
        check("clear", "tlp-clear", "TLP:CLEAR");
    }

    #[test]
    fn every_member_state_has_a_name() {
        for country in Country::MEMBER_STATES {
            assert!(name_of(country).is_some(), "{country}");
        }
    }

    #[test]
    fn notes_keep_their_lines_and_are_escaped() {
        let markup = verbatim("Checkpoint", "entraide/FR\n4\n<b>\n").into_string();
        assert!(markup.contains("entraide/FR\n4\n&lt;b&gt;\n"), "{markup}");
    }
}
