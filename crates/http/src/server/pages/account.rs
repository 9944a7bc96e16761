//! `/account`: who one is here, and one's passkeys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::{Markup, html};

use super::super::api::App;
use super::super::api::passkeys::{self, Passkey, Reached};
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::session::{By, Caller};
use super::assets::LINKS;
use super::frame::{Frame, scrolling};
use super::posted::Posted;
use super::text::{plain, time};
use model::bytes::hex;

/// The page.
pub async fn page(State(app): State<App>, reached: Reached, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of_nowhere(&app, &caller);
    let Json(list) = passkeys::list(State(app), caller.clone()).await?;
    Ok(frame.page("Your account", &body(&frame, &caller, &reached, &list.items)))
}

/// The form's address opened by hand.
pub async fn back() -> Redirect {
    Redirect::to("/account")
}

/// Removes a passkey.
pub async fn remove(State(app): State<App>, posted: Posted) -> Result<Redirect, Refusal> {
    let id = Segment(posted.fields.text("id").to_owned());
    let _: StatusCode = passkeys::remove(State(app), posted.caller, id).await?;
    Ok(Redirect::to("/account"))
}

fn body(frame: &Frame, caller: &Caller, reached: &Reached, passkeys: &[Passkey]) -> Markup {
    let actor = &caller.actor;
    let roles = actor.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", ");
    html! {
        h1 { "Your account" }
        section class="card" aria-labelledby="who-title" {
            div class="head" { h2 id="who-title" { (plain(&actor.login)) } }
            p class="inside" { "At the desk " strong { (actor.desk.word()) } ", with the roles " strong { (roles) } "." }
        }
        section class="card" aria-labelledby="passkeys-title" {
            div class="head" { h2 id="passkeys-title" { "Passkeys" } span class="quiet" { (passkeys.len()) } }
            @if passkeys.is_empty() {
                p class="inside" {
                    "None yet. A passkey logs you in without password and code, and no page that looks like this one can "
                    "make use of it."
                }
            } @else {
                (scrolling("Table: passkeys", &table(frame, passkeys)))
            }
        }
        section class="card" aria-labelledby="add-title" {
            div class="head" { h2 id="add-title" { "Add a passkey" } }
            div class="inside" { (adding(caller, reached)) }
        }
    }
}

fn table(frame: &Frame, passkeys: &[Passkey]) -> Markup {
    html! {
        table class="cards" {
            caption { "What logs you in beside password and code; removing one ends your other sessions" }
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Works at" }
                    th scope="col" { "Kept" }
                    th scope="col" { "Added" }
                    th scope="col" { "Last used" }
                    th scope="col" { "Remove" }
                }
            }
            tbody {
                @for passkey in passkeys {
                    tr {
                        td data-label="Name" { (plain(&passkey.name)) }
                        td data-label="Works at" { (plain(&passkey.host)) }
                        td data-label="Kept" {
                            @if passkey.can_be_copied { "may be on several devices" } @else { "on one device" }
                        }
                        td data-label="Added" { (time(&passkey.created)) }
                        td data-label="Last used" {
                            @match &passkey.last_used { Some(at) => (time(at)), None => "never" }
                        }
                        td data-label="Remove" {
                            form method="post" action="/account/passkeys/remove" {
                                (frame.csrf())
                                input type="hidden" name="id" value=(passkey.id);
                                button class="plain" aria-label={ "Remove " (plain(&passkey.name)) } { "Remove" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn adding(caller: &Caller, reached: &Reached) -> Markup {
    let By::Session { csrf, .. } = &caller.by else {
        return html! { p { "Log in as a person to have passkeys." } };
    };
    let Some(host) = &reached.host else {
        let port = reached.port.map(|port| format!(":{port}")).unwrap_or_default();
        return html! {
            p {
                "Passkeys are bound to a name, and the address of this page has none. On the node’s own machine open "
                code { "localhost" (port) } "; for everybody else an administrator writes " code { "host = \"fr.example\"" }
                " into " code { "entraide.toml" } "."
            }
        };
    };
    html! {
        p { "Passkeys work at " strong { (host.as_str()) } " alone, in a browser with JavaScript. Add one within 15 minutes "
            "of logging in." }
        div id="passkey" data-does="add" data-host=(host.as_str()) data-csrf=(hex(csrf)) hidden {
            div class="stacked" {
                label for="passkey-name" { "What you call it" }
                input id="passkey-name" required maxlength="100" autocomplete="off";
                div { button type="button" { "Add a passkey" } }
            }
            p class="notice bad" role="alert" hidden {}
        }
        script src=(LINKS.passkey) defer {}
    }
}

#[cfg(test)]
mod tests {
    use model::{Desk, Role};
    use node::Actor;
    use node::passkey::ceremony::HostName;

    use super::super::frame::tests::frame;
    use super::*;

    #[test]
    fn where_a_passkey_can_be_added_is_said_and_names_are_words() {
        let actor = Actor { person: None, login: "anna".to_owned(), desk: Desk::Csirt, roles: vec![Role::Viewer] };
        let by = By::Session { token: [0; 32], csrf: [0xab; 32], name: "Anna".to_owned() };
        let caller = Caller { actor, by };
        let passkey = Passkey {
            id: "0123456789abcdef".to_owned(),
            name: "<b>Key".to_owned(),
            host: "fr.example".to_owned(),
            can_be_copied: false,
            created: "2026-11-24T13:54:00.000000Z".to_owned(),
            last_used: None,
        };
        let text = |host: Option<&str>| {
            let reached = Reached { host: host.and_then(HostName::new), port: Some(7442) };
            body(&frame(Role::Viewer), &caller, &reached, std::slice::from_ref(&passkey)).into_string()
        };
        let named = text(Some("fr.example"));
        assert!(named.contains("data-host=\"fr.example\"") && named.contains(" hidden>"), "{named}");
        assert!(named.contains("&lt;b&gt;Key") && !named.contains("<b>"), "{named}");
        let unnamed = text(None);
        assert!(unnamed.contains("localhost:7442") && !unnamed.contains("<script"), "{unnamed}");
    }
}
