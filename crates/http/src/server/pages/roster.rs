//! `/roster`: who is on duty now, who comes next, where nobody is; persons, shifts, and a file that is looked at first.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::duty::Post;
use node::Permission;

use super::super::api::App;
use super::super::api::refusal::Refusal;
use super::super::api::request::{Params, Segment};
use super::super::api::roster::{
    self, Duty, FilePlan, FindingOf, Moment, NewShift, Person, Roster, RosterFile, ShiftOf, Which,
};
use super::super::session::Caller;
use super::frame::{Frame, Place, notice, scrolling};
use super::posted::{Fields, Posted};
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Roster);
    let Json(duty) = roster::duty(State(app.clone()), caller.clone(), Params(Moment::default())).await?;
    let Json(shown) = roster::show(State(app), caller, Params(Which::default())).await?;
    let body = html! {
        h1 { "Duty roster" }
        p {
            a href="/handover" { "Hand over" } " · " a href="/catch-up" { "Catch me up" } " · " a href="/card" { "Crisis card" }
        }
        p { a href="/alerts" { "Alerts and ladders" } }
        (on_duty(&duty))
        (findings_card(&shown.findings))
        (shifts_card(&frame, &shown))
        (persons_card(&frame, &shown.persons))
        @if frame.may(Permission::ManageRoster) { (file_form(&frame, "", "", false)) }
    };
    Ok(frame.page("Duty roster", &body))
}

/// The address of a form that was opened without sending it leads to the page.
pub async fn back() -> Redirect {
    Redirect::to("/roster")
}

fn on_duty(duty: &Duty) -> Markup {
    html! {
        section class="card" aria-labelledby="now-title" {
            div class="head" { h2 id="now-title" { "On duty now" } span class="quiet" { (time(&duty.at)) } }
            div class="inside" id="now-live" data-live {
                @if duty.on_duty.is_empty() { p { strong class="warn" { "Nobody." } " Put a shift into the roster below." } }
                @else {
                    ul {
                        @for one in &duty.on_duty {
                            li {
                                strong { (one.shift.post) } " " bdi { (plain(&one.contact.name)) } ", "
                                (telephone(&one.contact.telephone))
                                @if !one.contact.languages.is_empty() { ", speaks " (plain(&one.contact.languages.join(", "))) }
                                ", until " (time(&one.shift.until))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn telephone(number: &str) -> Markup {
    let dialled: String = number.chars().filter(|letter| *letter == '+' || letter.is_ascii_digit()).collect();
    html! { a href={ "tel:" (dialled) } { (plain(number)) } }
}

fn findings_card(findings: &[FindingOf]) -> Markup {
    html! {
        @if !findings.is_empty() {
            section class="card" aria-labelledby="findings-title" {
                div class="head" { h2 id="findings-title" { "To be looked at" } span class="quiet" { (findings.len()) } }
                div class="inside" { (finding_list(findings)) }
            }
        }
    }
}

fn finding_list(findings: &[FindingOf]) -> Markup {
    html! {
        ul {
            @for one in findings {
                li {
                    strong { (one.post) } ": "
                    @if one.persons.is_empty() { "nobody" } @else { (one.persons.join(" and ")) " at once" }
                    " from " (time(&one.from)) " until " (time(&one.until))
                }
            }
        }
    }
}

fn shift_table(name: &str, shifts: &[ShiftOf], last: &dyn Fn(&ShiftOf) -> Markup) -> Markup {
    scrolling(
        name,
        &html! {
            table class="cards" {
                caption { (name) }
                thead {
                    tr {
                        th scope="col" { "Person" }
                        th scope="col" { "Post" }
                        th scope="col" { "From" }
                        th scope="col" { "Until" }
                        th scope="col" { "Change" }
                    }
                }
                tbody {
                    @for shift in shifts {
                        tr {
                            th scope="row" { (plain(&shift.person)) }
                            td data-l="Post" { (shift.post) }
                            td data-l="From" { (time(&shift.from)) }
                            td data-l="Until" { (time(&shift.until)) }
                            td data-l="Change" { (last(shift)) }
                        }
                    }
                }
            }
        },
    )
}

fn shifts_card(frame: &Frame, shown: &Roster) -> Markup {
    let may = frame.may(Permission::ManageRoster);
    let last = |shift: &ShiftOf| match shift.number.filter(|_| may) {
        Some(number) => html! {
            form method="post" action="/roster/shifts/remove" {
                (frame.csrf())
                input type="hidden" name="number" value=(number);
                button class="secondary" { "Take out shift " (number) }
            }
        },
        None => html! { span class="quiet" { "–" } },
    };
    html! {
        section class="card" aria-labelledby="shifts-title" {
            div class="head" { h2 id="shifts-title" { "Shifts of the next 14 days" } span class="quiet" { (shown.shifts.len()) } }
            @if shown.shifts.is_empty() { p class="inside" { "None." } }
            @else { (shift_table("Shifts, by when they begin", &shown.shifts, &last)) }
            @if may && !shown.persons.is_empty() {
                form class="inside stacked" method="post" action="/roster/shifts" {
                    (frame.csrf())
                    label for="shift-person" { "Person" }
                    select id="shift-person" name="person" {
                        @for person in &shown.persons { option value=(person.person) { (plain(&person.name)) } }
                    }
                    label for="shift-post" { "Post" }
                    select id="shift-post" name="post" { @for post in Post::ALL { option { (post.word()) } } }
                    label for="shift-from" { "From, in UTC" }
                    input id="shift-from" name="from" type="datetime-local" required;
                    label for="shift-until" { "Until, in UTC" }
                    input id="shift-until" name="until" type="datetime-local" required;
                    button { "Put it into the roster" }
                }
            }
        }
    }
}

fn persons_card(frame: &Frame, persons: &[Person]) -> Markup {
    let may = frame.may(Permission::ManageRoster);
    html! {
        section class="card" aria-labelledby="persons-title" {
            div class="head" { h2 id="persons-title" { "Persons" } span class="quiet" { (persons.len()) } }
            @if !persons.is_empty() { (scrolling("Persons of the roster", &person_table(frame, persons, may))) }
            @if may {
                form class="inside stacked" method="post" action="/roster/persons" {
                    (frame.csrf())
                    label for="person" { "Short name: a-z, digits, such as anna" }
                    input id="person" name="person" autocomplete="off" spellcheck="false" maxlength="32" required;
                    label for="person-name" { "Name" }
                    input id="person-name" name="name" maxlength="200" autocomplete="off" required;
                    label for="person-telephone" { "Telephone at any hour, such as +33 1 23 45 67 89" }
                    input id="person-telephone" name="telephone" type="tel" maxlength="40" autocomplete="off" required;
                    label for="person-mail" { "Mail (may stay empty)" }
                    input id="person-mail" name="mail" type="email" maxlength="254" autocomplete="off";
                    label for="person-languages" { "Languages, such as: fr en" }
                    input id="person-languages" name="languages" autocomplete="off";
                    label for="person-login" { "Account (may stay empty)" }
                    input id="person-login" name="login" autocomplete="off" spellcheck="false" maxlength="32";
                    button { "Keep the person" }
                }
            }
        }
    }
}

fn person_table(frame: &Frame, persons: &[Person], may: bool) -> Markup {
    html! {
        table class="cards" {
            caption { "Persons whom this node can wake" }
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Telephone" }
                    th scope="col" { "Mail" }
                    th scope="col" { "Languages" }
                    th scope="col" { "Change" }
                }
            }
            tbody {
                @for person in persons {
                    tr {
                        th scope="row" { bdi { (plain(&person.name)) } " " span class="quiet" { (person.person) } }
                        td data-l="Telephone" { (telephone(&person.telephone)) }
                        td data-l="Mail" { (plain(person.mail.as_deref().unwrap_or("–"))) }
                        td data-l="Languages" { (plain(&person.languages.join(" "))) }
                        td data-l="Change" {
                            @if may {
                                form method="post" action="/roster/persons/remove" {
                                    (frame.csrf())
                                    input type="hidden" name="person" value=(person.person);
                                    button class="secondary" { "Take out " (person.person) }
                                }
                            } @else { span class="quiet" { "–" } }
                        }
                    }
                }
            }
        }
    }
}

fn file_form(frame: &Frame, text: &str, zone: &str, replace: bool) -> Markup {
    html! {
        section class="card" aria-labelledby="file-title" {
            div class="head" { h2 id="file-title" { "From a file" } }
            form class="inside stacked" method="post" action="/roster/preview" {
                (frame.csrf())
                label for="file-text" { "CSV or iCalendar (a longer file: entraide roster import)" }
                textarea id="file-text" name="text" rows="6" spellcheck="false" required
                    placeholder="post,person,from,until" { (text) }
                label for="file-zone" { "Time zone of local times, such as Europe/Paris" }
                input id="file-zone" name="zone" value=(zone) autocomplete="off" spellcheck="false";
                label {
                    input type="checkbox" name="replace" value="yes" checked[replace];
                    " Shifts of that time that are not in the file give way"
                }
                button class="secondary" { "Look at what it would do" }
            }
        }
    }
}

fn file_of(fields: &Fields) -> RosterFile {
    let zone = Some(fields.text("zone").to_owned()).filter(|zone| !zone.is_empty());
    let digest = Some(fields.text("digest").to_owned()).filter(|digest| !digest.is_empty());
    RosterFile { text: fields.raw("text"), zone, replace: fields.text("replace") == "yes", digest }
}

/// What a file would do, with the button that does it.
pub async fn preview(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let frame = Frame::of(&app, &caller, Place::Roster);
    let file = file_of(&fields);
    let (text, zone) = (file.text.clone(), file.zone.clone().unwrap_or_default());
    let replace = file.replace;
    let looked = roster::preview(State(app), caller, fields.input(file)).await;
    let body = match looked {
        Ok(Json(plan)) => html! {
            h1 { "Duty roster" }
            (plan_card(&frame, &plan, &text, &zone, replace))
        },
        Err(Refusal(problem)) if problem.status == 422 => html! {
            h1 { "Duty roster" }
            (notice("bad", problem.detail.as_deref().unwrap_or("the file can't be read")))
            (file_form(&frame, &text, &zone, replace))
        },
        Err(other) => return Err(other),
    };
    Ok(frame.page("Duty roster", &body).into_response())
}

fn plan_card(frame: &Frame, plan: &FilePlan, text: &str, zone: &str, replace: bool) -> Markup {
    let none = |_: &ShiftOf| html! { span class="quiet" { "–" } };
    html! {
        section class="card" aria-labelledby="plan-title" {
            div class="head" { h2 id="plan-title" { "What the file would do" } }
            div class="inside" {
                p {
                    (plan.new.len()) " persons are new and " (plan.changed.len()) " change; " (plan.added.len())
                    " shifts come, " (plan.removed.len()) " give way; " (plan.kept) " stand already."
                }
                @if plan.findings.is_empty() { p { "No gap and no overlap in that time." } }
                @else { (finding_list(&plan.findings)) }
            }
            @if !plan.added.is_empty() { (shift_table("Shifts that come", &plan.added, &none)) }
            @if !plan.removed.is_empty() { (shift_table("Shifts that give way", &plan.removed, &none)) }
            form class="inside stacked" method="post" action="/roster/import" {
                (frame.csrf())
                input type="hidden" name="text" value=(text);
                input type="hidden" name="zone" value=(zone);
                input type="hidden" name="replace" value=(if replace { "yes" } else { "" });
                input type="hidden" name="digest" value=(plan.digest);
                button { "Do it" }
                a href="/roster" { "Leave the roster as it is" }
            }
        }
    }
}

/// Does what was looked at.
pub async fn import(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let file = file_of(&fields);
    let Json(_) = roster::import(State(app), caller, fields.input(file)).await?;
    Ok(Redirect::to("/roster").into_response())
}

/// Keeps a person.
pub async fn put_person(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let word = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let person = Person {
        person: fields.text("person").to_owned(),
        name: fields.text("name").to_owned(),
        telephone: fields.text("telephone").to_owned(),
        mail: word("mail"),
        languages: fields.text("languages").split(' ').filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        login: word("login"),
    };
    let Json(_) = roster::put_person(State(app), caller, Segment(person.person.clone()), fields.input(person)).await?;
    Ok(Redirect::to("/roster").into_response())
}

/// Takes a person out.
pub async fn remove_person(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    roster::remove_person(State(app), caller, Segment(fields.text("person").to_owned())).await?;
    Ok(Redirect::to("/roster").into_response())
}

/// Adds a shift; the form's times are of UTC.
pub async fn add_shift(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let moment = |name: &str| match fields.text(name) {
        text if text.len() == 16 => format!("{text}:00Z"),
        text => format!("{text}Z"),
    };
    let shift = NewShift {
        person: fields.text("person").to_owned(),
        post: fields.text("post").to_owned(),
        from: moment("from"),
        until: moment("until"),
    };
    let input = fields.input(shift);
    roster::add_shift(State(app), caller, key, input).await?;
    Ok(Redirect::to("/roster").into_response())
}

/// Takes a shift out.
pub async fn remove_shift(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    roster::remove_shift(State(app), caller, Segment(fields.text("number").to_owned())).await?;
    Ok(Redirect::to("/roster").into_response())
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::super::frame::tests::frame;
    use super::*;

    #[test]
    fn names_are_escaped_and_only_those_who_may_see_forms() {
        let person = Person {
            person: "anna".to_owned(),
            name: "<b>Anna".to_owned(),
            telephone: "+33 1 00 00 00".to_owned(),
            mail: None,
            languages: vec!["fr".to_owned()],
            login: None,
        };
        let text = |role| persons_card(&frame(role), std::slice::from_ref(&person)).into_string();
        let seen = text(Role::DutyOfficer);
        assert!(seen.contains("&lt;b&gt;Anna") && seen.contains("tel:+331000000") && seen.contains("<form"), "{seen}");
        assert!(!text(Role::Viewer).contains("<form"));
    }
}
