//! The page of a dossier for the Reserve: to print, with what is filled in and what is missing, and for whom it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod api_world;

use api_world::{World, machine};
use serde_json::json;

#[tokio::test]
async fn the_page_of_a_dossier_says_what_is_missing_and_shows_what_strangers_wrote_as_text() {
    let world = World::new();
    let opened = world.post(&machine(), "/api/v1/reserve", &json!({"name": "<b>Hospital</b> group"})).await.ok().json();
    let entry = opened["entry"].as_str().unwrap().to_owned();
    let at = |what: &str| format!("/api/v1/reserve/{entry}/{what}");
    let new = json!({"entity": "<script>alert(1)</script>", "contact_point": "SPOC, number"});
    world.post(&machine(), &at("versions"), &new).await.ok();
    world.post(&machine(), &at("steps"), &json!({"step": "at-contact-point"})).await.ok();
    let bad = json!({"step": "submitted", "proof": {"name": "a", "content": "not base64!"}});
    world.post(&machine(), &at("steps"), &bad).await.refused(400);
    let proof = json!({"step": "submitted", "proof": {"name": "receipt <1>.pdf", "content": "c2Vl"}});
    world.post(&machine(), &at("steps"), &proof).await.ok();

    let person = world.log_in(&world.user("anna", "liaison").await).await;
    let page = world.get(&person, &format!("/reserve/{entry}")).await.ok();
    let text = String::from_utf8(page.bytes).unwrap();
    for said in [
        "class=\"dossier\"",
        "7 missing",
        "<strong class=\"warn\">Missing</strong>: say which service is asked for.",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;Hospital&lt;/b&gt; group",
        "Done outside, proof attached: ",
        "receipt &lt;1&gt;.pdf",
        "ENISA answers",
        "running",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("<script>alert") && !text.contains("<b>Hospital"));
    let list = world.get(&person, "/reserve").await.ok();
    assert!(String::from_utf8(list.bytes).unwrap().contains("Reserve dossiers"));
    let file = world.get(&person, &at("proofs/3")).await.ok();
    assert_eq!(file.bytes, b"see");
    assert_eq!(file.headers["content-disposition"], "attachment");
    for number in ["0", "1", "4"] {
        world.get(&person, &at(&format!("proofs/{number}"))).await.refused(404);
    }
    for name in ["FR:999", "EE:1"] {
        assert_eq!(world.get(&person, &format!("/reserve/{name}")).await.status, 404, "{name}");
    }
}

#[test]
fn a_dossier_is_printed_on_a4() {
    let css = include_str!("../assets/style.css");
    assert!(css.contains("@page dossier { size: A4 portrait;") && css.contains(".dossier { page: dossier;"));
}
