//! The plain pages: the node's state, objects with their provenance, logs, proofs, audiences and partners, as HTML that
//! works without JavaScript. A page calls the API's own handler for what it shows, so both faces have one gate.

mod account;
mod acts;
mod alerts;
mod answer;
pub(super) mod assets;
mod audiences;
mod clock;
mod exercises;
mod frame;
mod guest;
mod json;
mod keeping;
mod keys;
mod limits;
mod link;
mod log;
mod login;
mod mailbox;
mod object;
mod objects;
mod partners;
mod people;
mod pointers;
mod posted;
mod recovery;
mod red;
mod refused;
mod reserve;
mod roster;
mod spills;
mod status;
mod text;

pub(super) use assets::LINKS;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::api::App;
use super::api::refusal::Refusal;

/// The pages and what they load. Their refusals are pages too, and whoever is not logged in is sent to `/login`.
pub fn router(app: &App) -> Router<App> {
    let pages = Router::new()
        .route("/", get(status::page))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/account", get(account::page))
        .route("/account/passkeys/remove", get(account::back).post(account::remove))
        .route("/objects", get(objects::page))
        .route("/objects/{id}", get(object::page))
        .route("/objects/{id}/withdraw", get(object::back).post(object::withdraw))
        .route("/objects/{id}/disclose", get(object::back).post(object::disclose))
        .route("/pointers", get(pointers::page).post(pointers::say))
        .route("/log", get(log::page))
        .route("/keys", get(keys::page))
        .route("/proofs/{entry}", get(log::proof_page))
        .route("/proofs/{entry}/file", get(log::proof_file))
        .route("/clock", get(clock::back).post(clock::post))
        .route("/recovery", get(recovery::back).post(recovery::post))
        .route("/proofs/{entry}/words", get(log::proof_words))
        .route("/audiences", get(audiences::page))
        .route("/keeping", get(keeping::page))
        .route("/keeping/hold", get(keeping::back).post(keeping::hold))
        .route("/keeping/release", get(keeping::back).post(keeping::release))
        .route("/keeping/rule", get(keeping::back).post(keeping::rule))
        .route("/keeping/apply", get(keeping::back).post(keeping::apply))
        .route("/spills", get(keeping::back).post(spills::spill))
        .route("/spills/{number}", get(spills::page))
        .route("/partners", get(partners::page))
        .route("/partners/invite", get(partners::back).post(partners::invite))
        .route("/partners/accept", get(partners::back).post(partners::accept))
        .route("/partners/reached", get(partners::back).post(partners::add_reached))
        .route("/partners/change", get(partners::back).post(partners::change))
        .route("/acts", get(acts::page))
        .route("/acts/decide", get(acts::back).post(acts::decide))
        .route("/acts/revoke", get(acts::back).post(acts::revoke))
        .route("/alerts", get(alerts::page))
        .route("/alerts/acknowledge", get(alerts::back).post(alerts::acknowledge))
        .route("/alerts/drill", get(alerts::back).post(alerts::drill))
        .route("/mailbox", get(mailbox::page))
        .route("/mailbox/{number}/relay", get(mailbox::back).post(mailbox::relay))
        .route("/mailbox/{number}/dismiss", get(mailbox::back).post(mailbox::dismiss))
        .route("/answer/{link}", get(answer::page).post(answer::post))
        .route("/acknowledge", get(alerts::code_page).post(alerts::code))
        .route("/acknowledge/{code}", get(alerts::link).post(alerts::press))
        .route("/handover", get(people::handover))
        .route("/handover/give", get(people::back).post(people::give))
        .route("/handover/take", get(people::back).post(people::take))
        .route("/catch-up", get(people::catch_up).post(people::caught_up))
        .route("/brief/{entry}", get(people::brief))
        .route("/card", get(people::card))
        .route("/roster", get(roster::page))
        .route("/roster/persons", get(roster::back).post(roster::put_person))
        .route("/roster/persons/remove", get(roster::back).post(roster::remove_person))
        .route("/roster/shifts", get(roster::back).post(roster::add_shift))
        .route("/roster/shifts/remove", get(roster::back).post(roster::remove_shift))
        .route("/roster/preview", get(roster::back).post(roster::preview))
        .route("/roster/import", get(roster::back).post(roster::import))
        .route("/reserve", get(reserve::page))
        .route("/reserve/{entry}", get(reserve::one))
        .route("/red", get(red::first))
        .route("/red/{address}", get(red::cover))
        .route("/red/{address}/open", get(red::back).post(red::open))
        .route("/red/{address}/readers", get(red::back).post(red::change_readers))
        .route("/red/{address}/guests", get(red::back).post(red::invite))
        .route("/red/{address}/guests/{id}", get(red::back_from_guest).post(red::change_guest))
        .route("/guest/{link}", get(guest::page).post(guest::begin))
        .fallback(|| async { Refusal::not_found() })
        .layer(from_fn_with_state(app.clone(), refused::as_page));
    pages.merge(assets::files())
}
