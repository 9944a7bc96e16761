//! RED over the real API and pages: who reads it, what nobody else sees of it, and guests; one sentence a test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic; these helpers are outside the test functions")]

mod api_world;

use api_world::{Client, World, machine};
use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const ID: &str = "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2";

fn indicator(name: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{ID}","created":"2026-11-20T10:00:00.000Z",
  "modified":"2026-11-20T10:00:00.000Z","name":"{name}","pattern":"[ipv4-addr:value = '198.51.100.7']",
  "pattern_type":"stix","valid_from":"2026-11-20T10:00:00Z"}}"#
    )
}

/// A page, or the answer to a form.
struct Page {
    status: u16,
    text: String,
    location: String,
    cookie: Option<String>,
}

impl Page {
    #[track_caller]
    fn good(self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.text
    }
    #[track_caller]
    fn missing(self) {
        assert_eq!(self.status, 404, "{}", self.text);
        assert!(!self.text.contains("Beacon"), "{}", self.text);
    }
}

async fn page(world: &World, client: &Client, method: Method, path: &str, fields: &str) -> Page {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "fr.example");
    if let Some(cookie) = &client.cookie {
        request = request.header(header::COOKIE, cookie);
    }
    if let Some(token) = &client.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = format!("csrf={}&{fields}", client.csrf.as_deref().unwrap_or_default());
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = world.app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
    let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    Page {
        status: parts.status.as_u16(),
        location: text(header::LOCATION).unwrap_or_default(),
        cookie: text(header::SET_COOKIE),
        text: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

async fn look(world: &World, client: &Client, path: &str) -> Page {
    page(world, client, Method::GET, path, "").await
}

async fn send(world: &World, client: &Client, path: &str, fields: &str) -> Page {
    page(world, client, Method::POST, path, fields).await
}

/// A world with a RED statement that Anna has said and that Bob is named for; Eve is a duty officer like Anna.
struct Red {
    world: World,
    anna: Client,
    bob: Client,
    eve: Client,
    entry: String,
}

async fn red() -> Red {
    let world = World::new();
    let mut clients = Vec::new();
    for (login, role) in [("anna", "duty-officer"), ("bob", "analyst"), ("eve", "duty-officer")] {
        let access = world.user(login, role).await;
        clients.push(world.log_in(&access).await);
    }
    let [anna, bob, eve] = clients.try_into().unwrap_or_else(|_| panic!("three"));
    let entry = assert(&world, &anna, "label=red&readers=bob", &indicator("Beacon")).await;
    Red { world, anna, bob, eve, entry }
}

async fn assert(world: &World, by: &Client, how: &str, object: &str) -> String {
    let done = world.post_bytes(by, &format!("/api/v1/statements?{how}"), object.as_bytes()).await.ok().json();
    assert_eq!(done["items"][0]["fate"], "asserted", "{done}");
    done["items"][0]["entry"].as_str().unwrap().to_owned()
}

async fn count(world: &World, client: &Client) -> u64 {
    world.get(client, "/api/v1/red").await.ok().json()["count"].as_u64().unwrap()
}

/// Where the first statement for somebody is.
async fn address(world: &World, client: &Client) -> String {
    let led = look(world, client, "/red").await;
    assert_eq!(led.status, 303);
    led.location
}

async fn standing(red: &Red) -> Value {
    red.world.get(&red.anna, &format!("/api/v1/red/{}", red.entry)).await.ok().json()
}

#[tokio::test]
async fn red_is_read_by_those_named_each_reading_is_noted_and_removal_ends_it_at_once() {
    let red = red().await;
    let world = &red.world;
    let path = address(world, &red.bob).await;
    let cover = look(world, &red.bob, &path).await.good();
    assert!(!cover.contains("Beacon") && cover.contains(&red.entry) && !cover.contains("Named readers"), "{cover}");
    assert_eq!(standing(&red).await["openings"], json!([]), "a cover is no reading");
    let opened = send(world, &red.bob, &format!("{path}/open"), "").await.good();
    assert!(opened.contains("<bdi>Beacon</bdi>") && opened.contains("198.51.100.7"), "{opened}");
    assert_eq!(opened.matches("Shown to <strong>Anna</strong> (bob)").count(), 2, "{opened}");
    assert!(!opened.contains("download") && !opened.contains("/proofs/"), "{opened}");
    send(world, &red.bob, &format!("{path}/open"), "").await.good();
    let known = standing(&red).await;
    let openings = known["openings"].as_array().unwrap();
    assert_eq!(openings.iter().map(|row| row["who"].as_str().unwrap()).collect::<Vec<_>>(), ["bob", "bob"]);
    let logins: Vec<&str> =
        known["readers"].as_array().unwrap().iter().map(|row| row["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["anna", "bob"]);
    // Not without the session's own value, and not by a token: a program reads in nobody's name.
    let forged = Client { csrf: None, ..red.bob.clone() };
    assert_eq!(send(world, &forged, &format!("{path}/open"), "").await.status, 403);
    let token = json!({"name": "t", "login": "bob", "days": 1});
    let token =
        world.post(&machine(), "/api/v1/tokens", &token).await.ok().json()["token"].as_str().unwrap().to_owned();
    let program = Client { token: Some(token), ..Client::default() };
    look(world, &program, &path).await.missing();
    let gone = world.delete(&red.anna, &format!("/api/v1/red/{}/readers/bob", red.entry)).await;
    assert_eq!(gone.status, 204);
    look(world, &red.bob, &path).await.missing();
    send(world, &red.bob, &format!("{path}/open"), "").await.missing();
    assert_eq!((count(world, &red.bob).await, count(world, &red.anna).await), (0, 1));
    assert_eq!(standing(&red).await["openings"].as_array().unwrap().len(), 2, "what was refused is no reading");
}

#[tokio::test]
async fn for_everybody_else_red_is_not_there_on_any_face() {
    let red = red().await;
    let (world, entry) = (&red.world, &red.entry);
    let path = address(world, &red.bob).await;
    for client in [&red.eve, &red.bob, &red.anna, &machine()] {
        assert_eq!(world.get(client, "/api/v1/objects").await.ok().json()["items"], json!([]));
        assert_eq!(world.get(client, "/api/v1/objects?q=beacon").await.ok().json()["items"], json!([]));
        for face in [entry.clone(), ID.to_owned(), format!("{entry}/content"), format!("{entry}/who-sees")] {
            world.get(client, &format!("/api/v1/objects/{face}")).await.refused(404);
        }
        world.get(client, &format!("/api/v1/proofs/{entry}")).await.refused(404);
        let log = world.get(client, "/api/v1/log").await.ok();
        assert!(!String::from_utf8(log.bytes).unwrap().contains(ID));
        let status = world.get(client, "/api/v1/status").await.ok().json();
        assert_eq!(status["objects"], 0);
        let metrics = String::from_utf8(world.get(client, "/metrics").await.ok().bytes).unwrap();
        assert!(metrics.contains("entraide_objects{country=\"FR\"} 0"), "{metrics}");
        assert_eq!(world.get(client, "/api/v1/intake").await.ok().json()["items"], json!([]));
    }
    // Eve speaks for the nation as Anna does, and is not named.
    assert_eq!(count(world, &red.eve).await, 0);
    look(world, &red.eve, "/red").await.missing();
    look(world, &red.eve, &path).await.missing();
    send(world, &red.eve, &format!("{path}/open"), "").await.missing();
    send(world, &red.eve, &format!("{path}/readers"), "to=add&login=eve").await.missing();
    world.get(&red.eve, &format!("/api/v1/statements/{entry}/ledger")).await.refused(404);
    world.get(&red.eve, &format!("/api/v1/red/{entry}")).await.refused(404);
    let back = json!({"action": "purge", "reason": "x"});
    world.post(&red.eve, &format!("/api/v1/statements/{entry}/withdraw"), &back).await.refused(404);
    world.post(&red.eve, &format!("/api/v1/red/{entry}/readers"), &json!({"login": "eve"})).await.refused(404);
    let guest = json!({"name": "x", "contact": "y", "hours": 1});
    world.post(&red.eve, &format!("/api/v1/red/{entry}/guests"), &guest).await.refused(404);
    // Bob reads, and names nobody.
    world.post(&red.bob, &format!("/api/v1/red/{entry}/readers"), &json!({"login": "eve"})).await.refused(404);
    assert!(!look(world, &red.eve, "/").await.good().contains("RED statement"));
    assert!(look(world, &red.bob, "/").await.good().contains("1 RED statement is for you"));
}

#[tokio::test]
async fn saying_the_same_object_tells_nobody_that_it_is_red_elsewhere() {
    let red = red().await;
    let world = &red.world;
    // The very same bytes at RED: a statement of Eve's own, which opens Anna's to nobody.
    assert(world, &red.eve, "label=red", &indicator("Beacon")).await;
    assert_eq!((count(world, &red.eve).await, count(world, &red.anna).await), (1, 1));
    // Anna knows of hers: the same again is the same statement.
    let same = indicator("Beacon");
    let again = world.post_bytes(&red.anna, "/api/v1/statements?label=red&readers=eve", same.as_bytes());
    assert_eq!(again.await.ok().json()["items"][0]["fate"], "already");
    assert_eq!(count(world, &red.eve).await, 2, "now Anna has named Eve");
    // Other bytes of the same id and version at another label: no refusal, and no gap in the thread's numbers.
    let access = world.user("dan", "duty-officer").await;
    let dan = world.log_in(&access).await;
    world.post(&machine(), "/api/v1/audiences", &json!({"name": "circle", "kind": "named", "members": []})).await.ok();
    let amber = assert(world, &dan, "label=amber&audience=circle", &indicator("Other")).await;
    let shown = world.get(&dan, &format!("/api/v1/objects/{amber}")).await.ok().json();
    assert_eq!((&shown["object"]["thread_version"], shown["statements"].as_array().unwrap().len()), (&json!(0), 1));
}

#[tokio::test]
async fn readers_are_named_for_red_alone_and_only_who_can_read() {
    let red = red().await;
    let world = &red.world;
    world.user("root", "administrator").await;
    let object = indicator("Beacon 2");
    for (how, says) in [
        ("label=red&readers=nobody", "no active account `nobody`"),
        ("label=red&readers=bob,root", "no role of `root` reads content"),
        ("label=clear&readers=bob", "readers are named for RED alone"),
    ] {
        let answer = world.post_bytes(&red.anna, &format!("/api/v1/statements?{how}"), object.as_bytes()).await;
        let told = answer.refused(422).json();
        assert!(told["detail"].as_str().unwrap().contains(says), "{told}");
    }
    assert_eq!(count(world, &red.bob).await, 1, "a refusal names nobody");
    let path = address(world, &red.anna).await;
    let cover = look(world, &red.anna, &path).await.good();
    assert!(cover.contains("Named readers") && cover.contains("Remove bob"), "{cover}");
    let refused = send(world, &red.anna, &format!("{path}/readers"), "to=add&login=nobody").await;
    assert!(refused.status == 422 && refused.text.contains("no active account `nobody`"), "{}", refused.text);
    assert_eq!(send(world, &red.anna, &format!("{path}/readers"), "to=add&login=eve").await.status, 303);
    assert_eq!(count(world, &red.eve).await, 1);
    assert_eq!(send(world, &red.anna, &format!("{path}/readers"), "to=remove&login=eve").await.status, 303);
    assert_eq!(count(world, &red.eve).await, 0);
}

#[tokio::test]
async fn what_becomes_red_leaves_intake_and_what_was_refused_does_not_go_there() {
    let world = World::new();
    let access = world.user("anna", "duty-officer").await;
    let anna = world.log_in(&access).await;
    world.post_bytes(&anna, "/api/v1/intake?source=x", indicator("Beacon").as_bytes()).await.ok();
    let number = world.get(&anna, "/api/v1/intake").await.ok().json()["items"][0]["intake"].clone();
    let from = json!({"intake": [number], "label": "red"});
    let done = world.post(&anna, "/api/v1/statements/from-intake", &from).await.ok().json();
    assert_eq!(done["items"][0]["fate"], "asserted", "{done}");
    assert_eq!(world.get(&anna, "/api/v1/intake").await.ok().json()["items"], json!([]));
    // Other bytes under a known id and version are refused, and everybody reads intake.
    let refused =
        world.post_bytes(&anna, "/api/v1/statements?label=red", indicator("Other").as_bytes()).await.ok().json();
    assert_eq!(refused["items"][0]["fate"], "refused", "{refused}");
    assert_eq!(world.get(&anna, "/api/v1/intake").await.ok().json()["items"], json!([]));
}

#[tokio::test]
async fn red_that_was_taken_back_is_gone_and_its_withdrawal_shows_nowhere() {
    let red = red().await;
    let world = &red.world;
    let path = address(world, &red.bob).await;
    let back = json!({"action": "purge", "reason": "Beacon was wrong"});
    world.post(&red.anna, &format!("/api/v1/statements/{}/withdraw", red.entry), &back).await.ok();
    look(world, &red.bob, &path).await.missing();
    send(world, &red.bob, &format!("{path}/open"), "").await.missing();
    assert_eq!((count(world, &red.bob).await, count(world, &red.anna).await), (0, 0));
    for client in [&red.eve, &red.anna, &machine()] {
        assert_eq!(world.get(client, "/api/v1/objects").await.ok().json()["items"], json!([]));
        let log = world.get(client, "/api/v1/log").await.ok();
        assert!(!String::from_utf8(log.bytes).unwrap().contains("x-entraide-withdrawal"));
        assert_eq!(world.get(client, "/api/v1/status").await.ok().json()["objects"], 0);
    }
}

/// Invites by the API; the answer holds link and code.
async fn invite(red: &Red, name: &str) -> Value {
    let guest = json!({"name": name, "contact": "+33 1 99 00 00 00", "hours": 2});
    red.world.post(&red.anna, &format!("/api/v1/red/{}/guests", red.entry), &guest).await.ok().json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// Types a code at a link; the cookie of the reading that begins.
async fn enter(red: &Red, link: &str, code: &str) -> Option<Client> {
    let answer = send(&red.world, &Client::default(), link, &format!("code={}", code.replace(' ', "+"))).await;
    if answer.status == 401 {
        assert!(answer.text.contains("That did not fit") && answer.cookie.is_none(), "{}", answer.text);
        return None;
    }
    assert_eq!((answer.status, answer.location.as_str()), (303, link), "{}", answer.text);
    let cookie = answer.cookie.unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/guest"), "{cookie}");
    Some(Client { cookie: cookie.split(';').next().map(str::to_owned), ..Client::default() })
}

#[tokio::test]
async fn a_guest_reads_one_red_statement_by_link_and_code_and_the_code_opens_once() {
    let red = red().await;
    let world = &red.world;
    let made = invite(&red, "<b>Minister</b>").await;
    let (link, code) = (text(&made, "path"), text(&made, "code"));
    let form = look(world, &Client::default(), link).await.good();
    assert!(form.contains("One-time code") && !form.contains("Minister") && !form.contains("Beacon"), "{form}");
    let guest = enter(&red, link, code).await.unwrap();
    let read = look(world, &guest, link).await.good();
    assert!(
        read.contains("<bdi>Beacon</bdi>") && !read.contains("<b>Minister") && !read.contains("download"),
        "{read}"
    );
    assert_eq!(read.matches("Shown to <strong>&lt;b&gt;Minister&lt;/b&gt;</strong>").count(), 2, "{read}");
    assert!(read.contains("<strong>Anna</strong> of CERT-FR invited you"), "{read}");
    let known = standing(&red).await;
    assert!(text(&known["openings"][0], "who").ends_with("<b>Minister</b>") && known["openings"][0]["face"] == "guest");
    // The link alone, and the used code, open nothing; the cookie opens nothing else.
    assert!(look(world, &Client::default(), link).await.good().contains("One-time code"));
    assert!(enter(&red, link, code).await.is_none());
    assert_eq!(world.get(&guest, "/api/v1/status").await.status, 401);
    let other = invite(&red, "Other").await;
    assert!(!look(world, &guest, text(&other, "path")).await.good().contains("Beacon"));
    // The reading ends by itself; another code begins another.
    world.wait(node::limits::GUEST_READING_SECONDS);
    assert!(!look(world, &guest, link).await.good().contains("Beacon"));
    let path = format!("/api/v1/red/{}/guests/{}", red.entry, text(&made, "id"));
    let next = world.post(&red.anna, &format!("{path}/code"), &json!({})).await.ok().json();
    let guest = enter(&red, link, text(&next, "code")).await.unwrap();
    assert!(look(world, &guest, link).await.good().contains("Beacon"));
    assert_eq!(world.delete(&red.anna, &path).await.status, 204);
    assert!(!look(world, &guest, link).await.good().contains("Beacon"), "revoked at once");
    world.post(&red.anna, &format!("{path}/code"), &json!({})).await.refused(404);
}

#[tokio::test]
async fn five_wrong_codes_end_a_code_and_every_failure_is_one_answer() {
    let red = red().await;
    let world = &red.world;
    let made = invite(&red, "Minister").await;
    let (link, code) = (text(&made, "path"), text(&made, "code"));
    let wrong = if code == "0000 0000" { "0000 0001" } else { "0000 0000" };
    let nobody = Client::default();
    let told = send(world, &nobody, link, &format!("code={wrong}")).await.text;
    let unknown = format!("/guest/{}", "a".repeat(26));
    for path in [unknown.as_str(), "/guest/x"] {
        let answer = send(world, &nobody, path, &format!("code={wrong}")).await;
        assert_eq!((answer.status, answer.text == told), (401, true), "one answer: {}", answer.text);
        assert!(look(world, &nobody, path).await.good().contains("One-time code"));
    }
    for _ in 1..node::limits::GUEST_TRIES {
        assert!(enter(&red, link, wrong).await.is_none());
    }
    assert!(enter(&red, link, code).await.is_none(), "the right code after five wrong ones");
    // A code runs out before the invitation, and the invitation ends everything.
    let late = invite(&red, "Late").await;
    world.wait(node::limits::GUEST_CODE_SECONDS);
    assert!(enter(&red, text(&late, "path"), text(&late, "code")).await.is_none());
    world.wait(7200);
    let over = format!("/api/v1/red/{}/guests/{}/code", red.entry, text(&late, "id"));
    // Anna's session of twelve hours still runs.
    world.post(&red.anna, &over, &json!({})).await.refused(404);
}

#[tokio::test]
async fn invitations_are_bounded_and_shown_once_on_the_page() {
    let red = red().await;
    let world = &red.world;
    let path = format!("/api/v1/red/{}/guests", red.entry);
    for bad in [
        json!({"name": "", "contact": "x", "hours": 1}),
        json!({"name": "x", "contact": "a\nb", "hours": 1}),
        json!({"name": "x", "contact": "y", "hours": 0}),
        json!({"name": "x", "contact": "y", "hours": 721}),
    ] {
        world.post(&red.anna, &path, &bad).await.refused(422);
    }
    let page = address(world, &red.anna).await;
    let shown = send(world, &red.anna, &format!("{page}/guests"), "name=Minister&contact=%2B33&hours=24").await.good();
    assert!(shown.contains("http://fr.example/guest/") && shown.contains("shown once"), "{shown}");
    assert!(!look(world, &red.anna, &page).await.good().contains("/guest/"), "and never again");
    for _ in 1..node::limits::GUESTS {
        invite(&red, "More").await;
    }
    let full = json!({"name": "x", "contact": "y", "hours": 1});
    world.post(&red.anna, &path, &full).await.refused(422);
}
