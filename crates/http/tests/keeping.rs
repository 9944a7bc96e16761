//! Spills, legal holds and retention over the API and the plain pages: who may, what is told, and what stays unsaid.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod api_world;

use api_world::{Client, World, machine};
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

const INDICATOR: &str = r#"{"type":"indicator","spec_version":"2.1",
  "id":"indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","created":"2026-11-20T08:00:00Z",
  "modified":"2026-11-20T08:00:00Z","name":"operation nightfall","pattern":"[domain-name:value = 'n.example']",
  "pattern_type":"stix","valid_from":"2026-11-20T08:00:00Z"}"#;

async fn said(world: &World) -> String {
    let circle = json!({"name": "circle", "kind": "named", "members": []});
    world.post(&machine(), "/api/v1/audiences", &circle).await.ok();
    let path = "/api/v1/statements?label=amber&audience=circle";
    let said = world.post_bytes(&machine().keyed("say"), path, INDICATOR.as_bytes()).await.ok().json();
    said["items"][0]["entry"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_spill_is_seen_before_it_is_ordered_and_its_report_holds_no_content() {
    let world = World::new();
    world.partner("EE", 21).await;
    let entry = said(&world).await;
    let id = json!({"id": entry});
    let seen = world.post(&machine(), "/api/v1/spills/preview", &id).await.ok().json();
    assert_eq!((&seen["number"], &seen["statements"][0]["purged"]), (&Value::Null, &json!(false)));
    world.post(&machine(), "/api/v1/spills", &json!({"id": entry, "reason": " "})).await.refused(422);
    world.post(&machine(), "/api/v1/spills", &json!({"id": "FR:999", "reason": "x"})).await.refused(404);
    world.post(&machine(), "/api/v1/spills", &json!({"id": "x", "reason": "x"})).await.refused(400);
    let order = json!({"id": entry, "reason": "it was marked"});
    let keyed = machine().keyed("spill");
    let done = world.post(&keyed, "/api/v1/spills", &order).await.ok();
    let again = world.post(&keyed, "/api/v1/spills", &order).await;
    // The key of the spill itself names the entry: its answer goes with the others, and it is done once.
    assert_eq!(again.status, StatusCode::OK);
    let report = world.get(&machine(), "/api/v1/spills/1").await.ok();
    for answer in [&done, &report] {
        let text = String::from_utf8_lossy(&answer.bytes);
        assert!(!text.contains("nightfall") && text.contains("it was marked"), "{text}");
    }
    assert_eq!(report.json()["statements"][0]["purged"], true);
    let list = world.get(&machine(), "/api/v1/spills").await.ok().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    world.get(&machine(), "/api/v1/spills/2").await.refused(404);
    world.get(&machine(), "/api/v1/spills/x").await.refused(404);
    // Whoever asserted it under a key and asks again is told that it was done, and not what it said.
    let path = "/api/v1/statements?label=amber&audience=circle";
    world.post_bytes(&machine().keyed("say"), path, INDICATOR.as_bytes()).await.refused(410);
}

#[tokio::test]
async fn each_of_them_is_for_its_roles_alone() {
    let world = World::new();
    let entry = said(&world).await;
    let order = json!({"id": entry, "reason": "x"});
    for (role, spills, holds, retains) in [
        ("viewer", false, false, false),
        ("analyst", false, false, false),
        ("liaison", false, false, false),
        ("duty-officer", true, true, false),
        ("crisis-officer", true, false, false),
        ("administrator", true, true, true),
    ] {
        let access = world.user(role, role).await;
        let client = world.log_in(&access).await;
        let check = async |path: &str, may: bool| {
            let answer = world.get(&client, path).await;
            assert_eq!(answer.status, if may { StatusCode::OK } else { StatusCode::FORBIDDEN }, "{role} {path}");
        };
        check("/api/v1/spills", spills).await;
        check("/api/v1/holds", holds).await;
        check("/api/v1/retention", retains).await;
        check("/api/v1/retention/plan", retains).await;
        let preview = world.post(&client, "/api/v1/spills/preview", &json!({"id": entry})).await;
        assert_eq!(preview.status == StatusCode::OK, spills, "{role}");
        if !spills {
            world.post(&client, "/api/v1/spills", &order).await.refused(403);
        }
        if !holds {
            world.post(&client, "/api/v1/holds", &order).await.refused(403);
            world.post(&client, "/api/v1/holds/1/release", &json!({})).await.refused(403);
        }
        if !retains {
            world.post(&client, "/api/v1/retention/rules", &json!({"rule": "ledger", "days": 1})).await.refused(403);
            let plan = json!({"at": "2026-11-25T00:00:00Z", "digest": "0".repeat(64), "today": "2026-11-25"});
            world.post(&client, "/api/v1/retention/apply", &plan).await.refused(403);
        }
    }
}

#[tokio::test]
async fn holds_and_retention_go_over_the_api() {
    let world = World::new();
    world.post_bytes(&machine(), "/api/v1/intake", INDICATOR.as_bytes()).await.ok();
    let hold = json!({"id": "intake:1", "reason": "case 7", "until": "2026-11-24T00:00:00Z"});
    world.post(&machine(), "/api/v1/holds", &hold).await.ok();
    world.post(&machine(), "/api/v1/holds", &json!({"id": "intake:9", "reason": "x"})).await.refused(404);
    world.post(&machine(), "/api/v1/holds", &json!({"id": "intake:1", "reason": ""})).await.refused(422);
    world
        .post(&machine(), "/api/v1/holds", &json!({"id": "intake:1", "thread": true, "reason": "x"}))
        .await
        .refused(422);
    let held = world.get(&machine(), "/api/v1/holds").await.ok().json();
    assert_eq!((&held["items"][0]["on"], &held["items"][0]["due"]), (&json!("intake:1"), &json!(true)));
    let rule = json!({"rule": "intake/new", "days": 1});
    world.post(&machine(), "/api/v1/retention/rules", &rule).await.ok();
    world.post(&machine(), "/api/v1/retention/rules", &json!({"rule": "intake", "days": 1})).await.refused(422);
    world.wait(2 * 24 * 3600);
    let plan = world.get(&machine(), "/api/v1/retention/plan").await.ok().json();
    assert_eq!(plan["items"], json!([]), "the law holds it");
    world.post(&machine(), "/api/v1/holds/1/release", &json!({})).await.ok();
    world.post(&machine(), "/api/v1/holds/1/release", &json!({})).await.refused(404);
    let plan = world.get(&machine(), "/api/v1/retention/plan").await.ok().json();
    assert_eq!(plan["items"][0]["name"], "intake:1");
    let apply = |today: &str| json!({"at": plan["at"], "digest": plan["digest"], "today": today});
    world.post(&machine(), "/api/v1/retention/apply", &apply("2026-12-24")).await.refused(409);
    let done = world.post(&machine(), "/api/v1/retention/apply", &apply("2026-11-26")).await.ok().json();
    assert_eq!((&done["planned"], &done["purged"]), (&json!(1), &json!(1)));
    let shown = world.get(&machine(), "/api/v1/retention").await.ok().json();
    assert_eq!((&shown["rules"][0]["days"], &shown["runs"][0]["purged"]), (&json!(1), &json!(1)));
    let intake = world.get(&machine(), "/api/v1/intake").await.ok().json();
    assert_eq!(intake["items"], json!([]));
}

/// A page as a browser gets it, by a form or without one.
async fn page(world: &World, client: &Client, method: Method, path: &str, form: &str) -> (StatusCode, String) {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    request = request.header("cookie", client.cookie.clone().unwrap());
    request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(axum::body::Body::from(form.to_owned())).unwrap();
    let response = tower::ServiceExt::oneshot(world.app.clone(), request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let location = parts.headers.get("location").map(|at| at.to_str().unwrap().to_owned());
    (parts.status, location.unwrap_or(text))
}

#[tokio::test]
async fn a_spill_by_the_pages_takes_two_steps() {
    let world = World::new();
    world.partner("EE", 21).await;
    let entry = said(&world).await;
    let access = world.user("dora", "duty-officer").await;
    let dora = world.log_in(&access).await;
    let (_, object) = page(&world, &dora, Method::GET, &format!("/objects/{entry}"), "").await;
    assert!(object.contains("action=\"/spills\""), "{object}");
    let csrf = dora.csrf.clone().unwrap();
    let form = format!("csrf={csrf}&id={entry}");
    let (status, first) = page(&world, &dora, Method::POST, "/spills", &form).await;
    assert_eq!(status, StatusCode::OK);
    assert!(first.contains("Nothing has been purged yet") && first.contains("name=\"sure\""), "{first}");
    assert_eq!(world.get(&machine(), "/api/v1/spills").await.ok().json()["items"], json!([]));
    let without = format!("{form}&sure=yes&reason=");
    let (_, again) = page(&world, &dora, Method::POST, "/spills", &without).await;
    assert!(again.contains("a spill needs its reason"), "{again}");
    let sure = format!("{form}&sure=yes&reason=it+was+marked");
    let (status, to) = page(&world, &dora, Method::POST, "/spills", &sure).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/spills/1"));
    let (_, report) = page(&world, &dora, Method::GET, "/spills/1", "").await;
    assert!(report.contains("it was marked") && report.contains("purged here"), "{report}");
    assert!(!report.contains("nightfall"), "a report holds no content");
    let (_, keeping) = page(&world, &dora, Method::GET, "/keeping", "").await;
    assert!(keeping.contains("Spill 1") && keeping.contains("Legal holds"), "{keeping}");
    assert!(!keeping.contains("/keeping/rule"), "rules are for administrators");
    let (status, _) = page(&world, &dora, Method::POST, "/spills", &format!("id={entry}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a form repeats the session's value");
}

#[tokio::test]
async fn holds_and_rules_go_by_the_pages() {
    let world = World::new();
    world.post_bytes(&machine(), "/api/v1/intake", INDICATOR.as_bytes()).await.ok();
    let access = world.user("root", "administrator").await;
    let root = world.log_in(&access).await;
    let csrf = root.csrf.clone().unwrap();
    let send =
        async |path: &str, form: &str| page(&world, &root, Method::POST, path, &format!("csrf={csrf}&{form}")).await;
    let (status, _) = send("/keeping/hold", "id=intake:1&reason=case+7&until=2027-01-31").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, refused) = send("/keeping/hold", "id=intake:9&reason=case+7").await;
    assert!(status == StatusCode::NOT_FOUND && refused.contains("nothing here is named"), "{refused}");
    let (status, _) = send("/keeping/rule", "rule=intake/new&days=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, refused) = send("/keeping/rule", "rule=intake/new&days=x").await;
    assert!(refused.contains("1 to 36,525 days"), "{refused}");
    assert_eq!(send("/keeping/release", "number=1").await.0, StatusCode::SEE_OTHER);
    world.wait(2 * 24 * 3600);
    let root = world.log_in(&access).await;
    let csrf = root.csrf.clone().unwrap();
    let (_, shown) = page(&world, &root, Method::GET, "/keeping", "").await;
    assert!(shown.contains("intake:1") && shown.contains("Purge these 1 now"), "{shown}");
    let value = |name: &str| {
        let from = shown.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        from.split('"').next().unwrap().to_owned()
    };
    let form = format!("csrf={csrf}&at={}&digest={}&today=", value("at"), value("digest"));
    let (status, refused) = page(&world, &root, Method::POST, "/keeping/apply", &format!("{form}2026-01-01")).await;
    assert!(status == StatusCode::CONFLICT && refused.contains("set the clock right"), "{refused}");
    let (status, _) = page(&world, &root, Method::POST, "/keeping/apply", &format!("{form}2026-11-26")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, shown) = page(&world, &root, Method::GET, "/keeping", "").await;
    assert!(shown.contains("Nothing is due") && shown.contains("1 of 1"), "{shown}");
}
