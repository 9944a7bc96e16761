//! The REST API over a real node and a real database, one sentence a test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic; these helpers are outside the test functions")]

mod api_roles;
mod api_world;

use std::time::Duration;

use api_world::{Client, World, machine};
use axum::body::Body;
use axum::http::{Method, Response, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Written as nobody would: what comes out must be these bytes.
const INDICATOR: &str = r#"{ "type":"indicator","spec_version" :"2.1",
 "id":"indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","created":"2026-11-20T10:00:00.000Z",
  "modified":"2026-11-20T10:00:00.000Z","name":"Beac\u006fn","pattern":"[ipv4-addr:value = '198.51.100.7']",
  "pattern_type":"stix","valid_from":"2026-11-20T10:00:00Z"   }"#;
const ID: &str = "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2";

fn bundle(objects: &[&str]) -> String {
    let id = "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d";
    format!(r#"{{"type":"bundle","id":"{id}","objects":[{}]}}"#, objects.join(","))
}

async fn with_audience(world: &World) {
    let circle = json!({"name": "circle", "kind": "named", "members": []});
    world.post(&machine(), "/api/v1/audiences", &circle).await.ok();
}

#[tokio::test]
async fn nobody_sees_anything_without_logging_in() {
    let world = World::new();
    let nobody = Client::default();
    for path in ["status", "objects", "intake", "audiences", "partners", "log", "events", "users", "tokens", "session"]
    {
        world.get(&nobody, &format!("/api/v1/{path}")).await.refused(401);
    }
    world.get(&nobody, "/metrics").await.refused(401);
    let forged = Client { token: Some("entraide_aaaa".to_owned()), ..Client::default() };
    world.get(&forged, "/api/v1/status").await.refused(401);
    world.get(&nobody, "/api/v1/nothing").await.refused(404);
    world.put(&nobody, "/api/v1/status", &json!({})).await.refused(405);
    assert_eq!(world.get(&nobody, "/healthz").await.ok().json(), json!({"status": "ok", "writing": true}));
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_browsers_need() {
    let world = World::new();
    for answer in [world.get(&machine(), "/api/v1/status").await.ok(), world.get(&Client::default(), "/api/v1/x").await]
    {
        assert!(answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer");
    }
}

#[tokio::test]
async fn a_person_logs_in_with_password_and_code_once() {
    let world = World::new();
    let access = world.user("anna", "analyst").await;
    let credentials = world.credentials(&access);
    let answer = world.post(&Client::default(), "/api/v1/session", &credentials).await.ok();
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    let root = world.node.me().origin.root().to_string();
    assert!(cookie.starts_with(&format!("entraide_{}=", &root[..8])), "{cookie}");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(answer.json()["roles"], json!(["analyst"]));
    // The same code again is a replay, however right it is.
    let replay = world.post(&Client::default(), "/api/v1/session", &credentials).await.refused(401).json();
    world.wait(30);
    let mut wrong = world.credentials(&access);
    wrong["password"] = json!("not the password");
    let wrong = world.post(&Client::default(), "/api/v1/session", &wrong).await.refused(401).json();
    let unknown = json!({"login": "nobody", "password": "not the password", "code": "123456"});
    let unknown = world.post(&Client::default(), "/api/v1/session", &unknown).await.refused(401).json();
    assert_eq!((&replay, &wrong), (&unknown, &unknown), "one answer whatever was wrong");
    world.log_in(&access).await;
}

#[tokio::test]
async fn wrong_passwords_make_an_account_wait() {
    let world = World::new();
    let access = world.user("anna", "analyst").await;
    let wrong = json!({"login": "anna", "password": "not the password", "code": "000000"});
    for _ in 0..node::limits::LOGIN_TRIES {
        world.post(&Client::default(), "/api/v1/session", &wrong).await.refused(401);
    }
    world.post(&Client::default(), "/api/v1/session", &world.credentials(&access)).await.refused(401);
    world.wait(node::limits::LOGIN_PAUSE_SECONDS + 1);
    world.log_in(&access).await;
}

#[tokio::test]
async fn a_session_must_repeat_its_value_and_keeps_to_its_roles() {
    let world = World::new();
    let access = world.user("anna", "analyst").await;
    let anna = world.log_in(&access).await;
    let body = bundle(&[INDICATOR]);
    let other_page = Client { csrf: None, ..anna.clone() };
    world.post_bytes(&other_page, "/api/v1/intake", body.as_bytes()).await.refused(403);
    let guessed = Client { csrf: Some("00".repeat(32)), ..anna.clone() };
    world.post_bytes(&guessed, "/api/v1/intake", body.as_bytes()).await.refused(403);
    world.post_bytes(&anna, "/api/v1/intake", body.as_bytes()).await.ok();
    let refused = world.post_bytes(&anna, "/api/v1/statements?label=green", body.as_bytes()).await.refused(403);
    assert!(refused.json()["detail"].as_str().unwrap().contains("duty-officer"));
    world.get(&anna, "/api/v1/users").await.refused(403);
    world.post(&anna, "/api/v1/partners/invitations", &json!({})).await.refused(403);
    // Locking ends the session at once; so does its age, and logging out.
    world.put(&machine(), "/api/v1/users/anna", &json!({"state": "locked"})).await.ok();
    world.get(&anna, "/api/v1/session").await.refused(401);
    world.put(&machine(), "/api/v1/users/anna", &json!({"state": "active"})).await.ok();
    world.wait(60);
    let again = world.log_in(&access).await;
    assert_eq!(world.get(&again, "/api/v1/session").await.ok().json()["login"], "anna");
    assert_eq!(world.delete(&again, "/api/v1/session").await.status, 204);
    world.get(&again, "/api/v1/session").await.refused(401);
    world.wait(60);
    let old = world.log_in(&access).await;
    world.wait(node::limits::SESSION_SECONDS);
    world.get(&old, "/api/v1/session").await.refused(401);
}

#[tokio::test]
async fn accounts_are_made_reset_and_refused() {
    let world = World::new();
    let admin = world.log_in(&world.user("root-admin", "administrator").await).await;
    let first = world.user("anna", "viewer").await;
    assert!(first["totp_uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let make = |change: fn(&mut Value)| {
        let mut user = json!({"login": "ben", "name": "Ben", "desk": "csirt", "roles": ["viewer"]});
        change(&mut user);
        user
    };
    let check = async |user: Value, expect: u16| world.post(&admin, "/api/v1/users", &user).await.refused(expect);
    check(make(|user| user["login"] = json!("anna")), 409).await;
    check(make(|user| user["login"] = json!("Ben!")), 422).await;
    check(make(|user| user["roles"] = json!([])), 422).await;
    check(make(|user| user["roles"] = json!(["king"])), 400).await;
    check(make(|user| user["password"] = json!("short")), 422).await;
    let given = make(|user| user["password"] = json!("a long enough password"));
    let answer = world.post(&admin, "/api/v1/users", &given).await.ok().json();
    assert!(answer.get("password").is_none(), "a password that was given is not told back");
    let reset = world.post(&admin, "/api/v1/users/anna/reset", &json!({})).await.ok().json();
    assert_ne!(reset["password"], first["password"]);
    world.post(&Client::default(), "/api/v1/session", &world.credentials(&first)).await.refused(401);
    world.log_in(&reset).await;
    world.post(&admin, "/api/v1/users/nobody/reset", &json!({})).await.refused(404);
    let logins = world.get(&admin, "/api/v1/users").await.ok().json();
    let logins: Vec<&str> =
        logins["items"].as_array().unwrap().iter().map(|user| user["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["anna", "ben", "root-admin"]);
}

#[tokio::test]
async fn a_token_acts_as_its_account_until_it_is_revoked_or_runs_out() {
    let world = World::new();
    let access = world.user("feed", "analyst").await;
    let person = world.log_in(&access).await;
    let made = world.post(&person, "/api/v1/tokens", &json!({"name": "nightly", "days": 2})).await.ok().json();
    let token = Client { token: made["token"].as_str().map(str::to_owned), ..Client::default() };
    world.post_bytes(&token, "/api/v1/intake", INDICATOR.as_bytes()).await.ok();
    world.post(&token, "/api/v1/tokens", &json!({"name": "child", "days": 2})).await.refused(403);
    world.post(&person, "/api/v1/tokens", &json!({"name": "nightly", "days": 2})).await.refused(409);
    world.post(&person, "/api/v1/tokens", &json!({"name": "long", "days": 4000})).await.refused(422);
    world.wait(2 * 86_400);
    world.get(&token, "/api/v1/status").await.refused(401);
    let body = json!({"name": "daily", "login": "feed", "days": 2});
    let made = world.post(&machine(), "/api/v1/tokens", &body).await.ok().json();
    let token = Client { token: made["token"].as_str().map(str::to_owned), ..Client::default() };
    world.get(&token, "/api/v1/status").await.ok();
    assert_eq!(world.delete(&machine(), "/api/v1/tokens/daily").await.status, 204);
    world.get(&token, "/api/v1/status").await.refused(401);
    world.delete(&machine(), "/api/v1/tokens/daily").await.refused(404);
}

#[derive(Deserialize)]
struct Detail {
    object: Value,
    statements: Vec<Value>,
    body: Option<Box<RawValue>>,
}

#[tokio::test]
async fn what_is_taken_in_and_asserted_comes_out_byte_for_byte() {
    let world = World::new();
    with_audience(&world).await;
    let client = machine();
    let taken = world.post_bytes(&client, "/api/v1/intake?source=feed", bundle(&[INDICATOR]).as_bytes()).await.ok();
    assert_eq!((&taken.json()["kind"], &taken.json()["items"][0]["fate"]), (&json!("stix-bundle"), &json!("new")));
    let again = world.post_bytes(&client, "/api/v1/intake?source=feed", INDICATOR.as_bytes()).await.ok().json();
    assert_eq!(again["items"][0]["fate"], "duplicate");
    let number = again["items"][0]["intake"].clone();
    let row = world.get(&client, "/api/v1/intake?state=new").await.ok().json()["items"][0].clone();
    assert_eq!((&row["intake"], &row["source"], &row["tlp"]), (&number, &json!("feed"), &Value::Null));
    let command = json!({"intake": [number, 999], "label": "amber", "audience": "circle"});
    let said = world.post(&client, "/api/v1/statements/from-intake", &command).await.ok().json();
    assert_eq!(said["items"][0]["fate"], "asserted");
    assert_eq!(said["items"][1]["fate"], "refused");
    let entry = said["items"][0]["entry"].as_str().unwrap();
    assert_eq!(world.get(&client, "/api/v1/intake?state=new").await.ok().json()["items"], json!([]));
    for name in [entry, ID] {
        let answer = world.get(&client, &format!("/api/v1/objects/{name}")).await.ok();
        let detail: Detail = serde_json::from_slice(&answer.bytes).unwrap();
        assert_eq!(detail.body.unwrap().get(), INDICATOR, "the raw bytes");
        assert_eq!((&detail.object["entry"], &detail.object["tlp"]), (&json!(entry), &json!("amber")));
        assert_eq!((&detail.object["title"], detail.statements.len()), (&json!("Beacon"), 1));
    }
    let content = world.get(&client, &format!("/api/v1/objects/{entry}/content")).await.ok();
    assert_eq!(content.headers["entraide-entry"], entry);
    assert_eq!(content.headers[header::CONTENT_TYPE], "application/stix+json;version=2.1");
    assert_eq!(content.json()["object_marking_refs"], json!([model::Tlp::Amber.marking_id()]));
    let page = world.get(&client, "/api/v1/objects?country=FR&type=indicator&q=Beac&state=live").await.ok().json();
    assert_eq!(page["items"][0]["stix_id"], ID);
    for empty in ["type=malware", "country=EE", "q=nothing", "state=erased"] {
        assert_eq!(world.get(&client, &format!("/api/v1/objects?{empty}")).await.ok().json()["items"], json!([]));
    }
}

#[tokio::test]
async fn refused_objects_stay_in_intake_with_the_reason() {
    let world = World::new();
    with_audience(&world).await;
    let red = INDICATOR.replacen(
        "\"name\"",
        &format!("\"object_marking_refs\":[\"{}\"],\"name\"", model::Tlp::Red.marking_id()),
        1,
    );
    let bad = r#"{"type":"indicator","id":"nonsense"}"#;
    let other = INDICATOR.replace("26ffb872", "36ffb872");
    let body = bundle(&[&red, bad, &other]);
    let path = "/api/v1/statements?label=green&audience=circle";
    let said = world.post_bytes(&machine(), path, body.as_bytes()).await.ok().json();
    let fates: Vec<&str> =
        said["items"].as_array().unwrap().iter().map(|item| item["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["refused", "refused", "asserted"]);
    let kept = world.get(&machine(), "/api/v1/intake").await.ok().json();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1);
    assert_eq!(kept["items"][0]["note"], said["items"][0]["reason"]);
    assert_eq!(kept["items"][0]["title"], Value::Null, "RED is not shown on a list");
    let again = world.post_bytes(&machine(), path, other.as_bytes()).await.ok().json();
    assert_eq!(
        (&again["items"][0]["fate"], &again["items"][0]["entry"]),
        (&json!("already"), &said["items"][2]["entry"])
    );
}

#[tokio::test]
async fn a_key_gives_the_same_answer_and_does_it_once() {
    let world = World::new();
    with_audience(&world).await;
    let keyed = machine().keyed("import-1");
    let path = "/api/v1/statements?label=amber&audience=circle";
    let first = world.post_bytes(&keyed, path, INDICATOR.as_bytes()).await.ok();
    let second = world.post_bytes(&keyed, path, INDICATOR.as_bytes()).await.ok();
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(first.json()["items"][0]["fate"], "asserted");
    let other = INDICATOR.replace("26ffb872", "36ffb872");
    world.post_bytes(&keyed, path, other.as_bytes()).await.refused(422);
    world.post_bytes(&keyed, "/api/v1/statements?label=red", INDICATOR.as_bytes()).await.refused(422);
    world.post_bytes(&machine().keyed(&"x".repeat(129)), path, INDICATOR.as_bytes()).await.refused(400);
    world.wait(node::limits::IDEMPOTENCY_SECONDS + 1);
    let forgotten = world.post_bytes(&keyed, path, INDICATOR.as_bytes()).await.ok().json();
    assert_eq!(forgotten["items"][0]["fate"], "already", "a week later the key is free again");
    let taken = machine().keyed("import-2");
    let first = world.post_bytes(&taken, "/api/v1/intake", other.as_bytes()).await.ok();
    let second = world.post_bytes(&taken, "/api/v1/intake", other.as_bytes()).await.ok();
    assert_eq!(first.json()["items"][0]["fate"], "new");
    assert_eq!(first.bytes, second.bytes);
}

#[tokio::test]
async fn rubbish_gets_a_problem_and_changes_nothing() {
    let world = World::new();
    with_audience(&world).await;
    let before = world.get(&machine(), "/api/v1/status").await.ok().json()["log"].clone();
    let post = async |path: &str, body: &[u8], status: u16| {
        let problem = world.post_bytes(&machine(), &format!("/api/v1/{path}"), body).await.refused(status).json();
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{path}: {problem}");
    };
    post("intake", b"", 422).await;
    post("intake", b"\xff\xfe", 422).await;
    post("intake", b"{\"a\":", 422).await;
    post("intake", b"[1,2]", 422).await;
    post("intake", b"{\"type\":\"bundle\",\"spec_version\":\"2.0\",\"objects\":[]}", 422).await;
    post("statements", INDICATOR.as_bytes(), 400).await;
    post("statements?label=purple", INDICATOR.as_bytes(), 400).await;
    post("statements?label=amber", INDICATOR.as_bytes(), 422).await;
    post("statements?label=amber&audience=nobody", INDICATOR.as_bytes(), 422).await;
    post("statements?label=red&audience=circle", INDICATOR.as_bytes(), 422).await;
    post("statements?label=green", INDICATOR.as_bytes(), 422).await;
    post("statements/from-intake", b"{\"intake\":\"all\",\"label\":\"green\"}", 400).await;
    post("statements/FR:999/withdraw", b"{\"action\":\"purge\",\"reason\":\"x\"}", 404).await;
    post("statements/EE:0/withdraw", b"{\"action\":\"purge\",\"reason\":\"x\"}", 404).await;
    post("statements/FR:0/withdraw", b"{\"action\":\"purge\",\"reason\":\"x\"}", 409).await;
    post("statements/FR:0/withdraw", b"{\"action\":\"burn\",\"reason\":\"x\"}", 400).await;
    post("audiences", b"{\"name\":\"\",\"kind\":\"named\"}", 422).await;
    post("audiences", b"{\"name\":\"circle\",\"kind\":\"named\"}", 409).await;
    post("audiences", b"{\"name\":\"x\",\"kind\":\"union\"}", 400).await;
    post("audiences", b"{\"name\":\"x\",\"kind\":\"named\",\"members\":[\"EE\"]}", 422).await;
    post("partners/accept", b"{\"code\":\"nonsense\"}", 422).await;
    post("partners/XX/confirm", b"{}", 404).await;
    post("partners/roster?key=00", b"x", 400).await;
    let get = async |path: &str, status: u16| {
        world.get(&machine(), &format!("/api/v1/{path}")).await.refused(status);
    };
    get("objects?limit=0", 400).await;
    get("objects?limit=1001", 400).await;
    get("objects?after=x", 400).await;
    get("objects?country=fr", 400).await;
    get("objects/x", 400).await;
    get("objects/FR:999", 404).await;
    get(&format!("objects/{ID}"), 404).await;
    get("audiences/nobody", 404).await;
    get("log?country=EE", 404).await;
    get("proofs/FR:999", 404).await;
    assert_eq!(world.get(&machine(), "/api/v1/status").await.ok().json()["log"], before);
}

/// A page elsewhere can have a browser send a form, and not JSON.
#[tokio::test]
async fn a_command_is_json_and_no_larger_than_the_limit() {
    let world = World::new();
    let send = async |media: &str, bytes: usize| {
        let name = "x".repeat(bytes.saturating_sub(48));
        let body = json!({"name": name, "kind": "named", "members": []}).to_string();
        let request = axum::http::Request::post("/api/v1/audiences").header(header::CONTENT_TYPE, media);
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(http_room::server::accept::LocalSocket { uid: None });
        tower::ServiceExt::oneshot(world.app.clone(), request).await.unwrap().status().as_u16()
    };
    assert_eq!(send("application/json; charset=utf-8", 60).await, 200);
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(send(media, 60).await, 415, "{media}");
    }
    assert_eq!(send("application/json", 2 * 1024 * 1024).await, 413);
}

#[tokio::test]
async fn everybody_sees_who_will_see_it_and_who_is_told_when_it_is_taken_back() {
    let world = World::new();
    world.partner("EE", 40).await;
    world.partner("PL", 60).await;
    let circle = json!({"name": "circle", "kind": "community", "members": ["EE"]});
    world.post(&machine(), "/api/v1/audiences", &circle).await.ok();
    let planned = json!({"label": "green", "audience": null});
    world.post(&machine(), "/api/v1/who-sees", &planned).await.refused(422);
    world.put(&machine(), "/api/v1/audiences/circle/tick", &json!({"ticked": true})).await.ok();
    let sees = |sheet: &Value| -> Vec<(String, bool)> {
        let line = |line: &Value| (line["country"].as_str().unwrap().to_owned(), line["sees"].as_bool().unwrap());
        sheet["partners"].as_array().unwrap().iter().map(line).collect()
    };
    let expect = vec![("EE".to_owned(), true), ("PL".to_owned(), false)];
    let sheet = world.post(&machine(), "/api/v1/who-sees", &planned).await.ok().json();
    assert_eq!((sees(&sheet), &sheet["left_out"], &sheet["audience"]), (expect.clone(), &json!(1), &json!("circle")));
    let red = world.post(&machine(), "/api/v1/who-sees", &json!({"label": "red"})).await.ok().json();
    assert_eq!(red["left_out"], 2);
    let said = world.post_bytes(&machine(), "/api/v1/statements?label=green", INDICATOR.as_bytes()).await.ok().json();
    let entry = said["items"][0]["entry"].as_str().unwrap();
    let sheet = world.get(&machine(), &format!("/api/v1/objects/{entry}/who-sees")).await.ok().json();
    assert_eq!(sees(&sheet), expect);
    let preview =
        world.post(&machine(), "/api/v1/audiences/circle/preview", &json!({"members": ["EE", "PL"]})).await.ok();
    let preview = preview.json();
    assert_eq!(preview["joining"].as_array().unwrap().len(), 1);
    let change = |backfill: u64| json!({"members": ["*"], "backfill": backfill});
    let older = preview["older"].as_u64().unwrap();
    world.put(&machine(), "/api/v1/audiences/circle/members", &change(older + 7)).await.refused(409);
    let changed = world.put(&machine(), "/api/v1/audiences/circle/members", &change(older)).await.ok().json();
    assert_eq!((&changed["version"], changed["members"].as_array().unwrap().len()), (&json!(2), 2));
    let listed = world.get(&machine(), "/api/v1/audiences/circle").await.ok().json();
    assert_eq!((&listed["ticked"], &listed["members"][0]["name"]), (&json!(true), &json!("CERT-EE")));
    let path = format!("/api/v1/statements/{entry}/withdraw");
    let done = world.post(&machine(), &path, &json!({"action": "stop-sharing", "reason": "wrong"})).await.ok().json();
    assert_eq!(done["told"].as_array().unwrap().len(), 2);
    world.post(&machine(), &path, &json!({"action": "stop-sharing", "reason": "wrong"})).await.refused(409);
    let detail = world.get(&machine(), &format!("/api/v1/objects/{entry}")).await.ok().json();
    assert_eq!((&detail["object"]["state"], &detail["body"]), (&json!("withdrawn"), &Value::Null));
    world.get(&machine(), &format!("/api/v1/objects/{entry}/content")).await.refused(404);
}

#[tokio::test]
async fn partners_are_invited_held_resumed_and_cut() {
    let world = World::new();
    let invited = world.post(&machine(), "/api/v1/partners/invitations", &json!({})).await.ok().json();
    assert!(invited["code"].as_str().unwrap().starts_with("entraide-invite-1"));
    world.partner("EE", 40).await;
    let state = async |act: &str, body: Value, expect: &str| {
        let path = format!("/api/v1/partners/EE/{act}");
        assert_eq!(world.post(&machine(), &path, &body).await.ok().json()["state"], expect);
    };
    state("hold", json!({"reason": "two checkpoints"}), "held").await;
    let partner = world.get(&machine(), "/api/v1/partners").await.ok().json()["items"][0].clone();
    assert_eq!((&partner["lag"]["state"], &partner["lag"]["why"]), (&json!("held"), &json!("two checkpoints")));
    world.post(&machine(), "/api/v1/partners/EE/confirm", &json!({})).await.refused(409);
    state("resume", json!({}), "active").await;
    state("cut", json!({}), "cut").await;
    let origin = partner["origin"].as_str().unwrap().replace('/', "%2F");
    world.post(&machine(), &format!("/api/v1/partners/{origin}/resume"), &json!({})).await.refused(409);
}

#[tokio::test]
async fn the_log_is_paged_and_proved() {
    let world = World::new();
    with_audience(&world).await;
    for number in 1..=3 {
        let object = INDICATOR.replace("26ffb872", &format!("{number}6ffb872"));
        world.post_bytes(&machine(), "/api/v1/statements?label=amber&audience=circle", object.as_bytes()).await.ok();
    }
    let page = world.get(&machine(), "/api/v1/log?limit=3").await.ok().json();
    assert_eq!((&page["size"], &page["items"][0]["entry"], &page["next"]), (&json!(4), &json!("FR:3"), &json!("1")));
    let rest = world.get(&machine(), "/api/v1/log?limit=3&before=1").await.ok().json();
    assert_eq!((&rest["items"][0]["entry"], &rest["next"]), (&json!("FR:0"), &Value::Null));
    let proof = world.get(&machine(), "/api/v1/proofs/FR:3?sealed=true").await.ok();
    let sealed = String::from_utf8(proof.bytes).unwrap();
    assert!(sealed.starts_with("c2sp.org/tlog-proof@v1\n"), "{sealed}");
    let whole = world.get(&machine(), "/api/v1/proofs/FR:3").await.ok().bytes;
    assert!(whole.len() > sealed.len() + INDICATOR.len());
    let read = journal::proof::ProofFile::read(&String::from_utf8(whole).unwrap()).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[12; 32]).verifying_key();
    let verifier = journal::note::NoteVerifier::new(&world.node.me().origin.to_string(), key).unwrap();
    let proven = read.verify(&[verifier]).unwrap().into_inner();
    assert!(proven.opening.body.unwrap().bytes.ends_with(b"\"valid_from\":\"2026-11-20T10:00:00Z\"   }"));
    let first = world.get(&machine(), "/api/v1/objects?limit=2").await.ok().json();
    let next = first["next"].as_str().unwrap();
    let second = world.get(&machine(), &format!("/api/v1/objects?limit=2&after={next}")).await.ok().json();
    assert_ne!(first["items"], second["items"]);
    let rebuilt = world.post(&machine(), "/api/v1/operate/rebuild", &json!({})).await.ok().json();
    assert_eq!(rebuilt, json!({"folded": 4, "now_fit": 0, "unfit": 0}));
    assert_eq!(world.get(&machine(), "/api/v1/objects?limit=2").await.ok().json(), first);
}

#[tokio::test]
async fn the_ledger_says_who_opened_a_statement_and_who_carried_it_out() {
    let world = World::new();
    with_audience(&world).await;
    let said =
        world.post_bytes(&machine(), "/api/v1/statements?label=amber&audience=circle", INDICATOR.as_bytes()).await;
    said.ok();
    let anna = world.log_in(&world.user("anna", "analyst").await).await;
    let changes = world.node.changes();
    // Read twice within the hour: once. The plain page of a proof shows no body, a sealed proof holds none.
    for path in ["objects/FR:1", "objects/FR:1", "objects/FR:1/content", "proofs/FR:1", "proofs/FR:1?sealed=true"] {
        world.get(&anna, &format!("/api/v1/{path}")).await.ok();
    }
    world.get(&machine(), "/api/v1/objects/FR:1?export=true").await.ok();
    world.get(&machine(), "/api/v1/objects?limit=10").await.ok();
    assert!(!changes.has_changed().unwrap(), "no screen loads anew because somebody read");
    let ledger = world.get(&machine(), "/api/v1/statements/FR:1/ledger").await.ok().json();
    let rows: Vec<_> = ledger["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["who"].as_str().unwrap(), row["face"].as_str().unwrap(), row["exported"].as_bool().unwrap()))
        .collect();
    let machine_name = rows[0].0;
    assert_eq!(
        rows,
        [(machine_name, "body", true), ("anna", "proof", true), ("anna", "content", true), ("anna", "page", false)]
    );
    // Whoever only reads does not learn what colleagues read.
    let bert = world.log_in(&world.user("bert", "viewer").await).await;
    world.get(&bert, "/api/v1/statements/FR:1/ledger").await.refused(403);
    world.get(&machine(), "/api/v1/statements/FR:9/ledger").await.refused(404);
}

/// The next change that a stream tells, or `None` if none comes within a second.
async fn event(response: &mut Response<Body>) -> Option<String> {
    loop {
        let frame = timeout(Duration::from_secs(1), response.body_mut().frame()).await.ok()??;
        let text = String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap();
        if !text.contains("event: time") {
            return Some(text);
        }
    }
}

#[tokio::test]
async fn a_screen_that_comes_back_is_told_at_once_if_it_missed_something() {
    let world = World::new();
    let listen = async |last: Option<&str>| {
        let mut request = axum::http::Request::builder().method(Method::GET).uri("/api/v1/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(http_room::server::accept::LocalSocket { uid: None });
        tower::ServiceExt::oneshot(world.app.clone(), request).await.unwrap()
    };
    let id = |event: &str| event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let mut fresh = listen(None).await;
    assert_eq!(fresh.headers()[header::CONTENT_TYPE], "text/event-stream");
    let first = event(&mut fresh).await.unwrap();
    assert!(first.contains("event: change"), "{first}");
    let mut up_to_date = listen(Some(&id(&first))).await;
    assert_eq!(event(&mut up_to_date).await, None);
    with_audience(&world).await;
    let second = event(&mut up_to_date).await.unwrap();
    assert!(second.contains(r#"data: {"signed":1,"#), "{second}");
    assert_eq!(event(&mut fresh).await.map(|event| id(&event)), Some(id(&second)));
    let mut back = listen(Some(&id(&first))).await;
    assert_eq!(event(&mut back).await.map(|event| id(&event)), Some(id(&second)));
}

#[tokio::test]
async fn metrics_name_every_partner() {
    let world = World::new();
    world.partner("EE", 40).await;
    let text = String::from_utf8(world.get(&machine(), "/metrics").await.ok().bytes).unwrap();
    assert!(text.contains("entraide_log_entries{country=\"FR\"} 0"), "{text}");
    assert!(text.contains("entraide_partner_state{country=\"EE\""), "{text}");
    assert!(text.contains("entraide_releases_behind{country=\"EE\""), "{text}");
}

#[tokio::test]
async fn the_committed_contract_is_current() {
    let world = World::new();
    let served = world.get(&machine(), "/api/v1/openapi.json").await.ok();
    let current = String::from_utf8(served.bytes).unwrap();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), &current).unwrap();
        return;
    }
    let committed = include_str!("../openapi.json");
    assert!(committed == current, "openapi.json is old: run this test with UPDATE_OPENAPI=1, and commit the file");
}
