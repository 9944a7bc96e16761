//! Each route of the API is for its roles alone: what the table says is asked of every route, as every role, and as
//! nobody. A route that the table does not name fails.

use crate::api_world::{Client, World};
use axum::http::Method;
use model::Role;
use node::Permission::{
    self, Authorise, DecideLog, Hold, ManageAccounts, ManageAudiences, ManagePartners, ManageRoster, Operate, Read,
    Retain, Speak, Spill, TakeIn,
};
use serde_json::{Map, Value, json};

/// Who may use a route.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    /// Whoever has a role that carries this.
    May(Permission),
    /// Whoever is logged in: it is about them alone, or what they are named for.
    Self_,
    /// Anybody: it is how one logs in, or it has a secret of its own.
    Anybody,
}
use Who::{Anybody, May, Self_};

const TABLE: &[(Who, &[&str])] = &[
    (Anybody, &["POST /session", "POST /session/passkey", "POST /session/passkey/options", "GET /leases/{mandate}"]),
    (
        Self_,
        &[
            "GET /session",
            "DELETE /session",
            "GET /passkeys",
            "POST /passkeys",
            "POST /passkeys/options",
            "DELETE /passkeys/{id}",
            "DELETE /tokens/{name}",
            "GET /red",
            "GET /red/{entry}",
            "POST /red/{entry}/guests",
            "DELETE /red/{entry}/guests/{id}",
            "POST /red/{entry}/guests/{id}/code",
            "POST /red/{entry}/readers",
            "DELETE /red/{entry}/readers/{login}",
        ],
    ),
    (
        May(Read),
        &[
            "GET /alerts",
            "GET /assistance/{entry}/brief",
            "GET /authorities",
            "GET /card",
            "GET /catch-up",
            "POST /catch-up",
            "GET /two-persons",
            "GET /alerts/{number}",
            "GET /assistance",
            "GET /assistance/{entry}",
            "GET /assistance/{entry}/evidence",
            "GET /assistance/{entry}/matches",
            "GET /assistance/{entry}/notes",
            "GET /audiences",
            "GET /audiences/{name}",
            "GET /capacities",
            "GET /capacities/cards",
            "GET /capacities/{entry}",
            "GET /events",
            "GET /evidence/{id}",
            "GET /exercises",
            "GET /exports",
            "GET /exports/lists",
            "GET /exports/lists/{name}",
            "GET /intake",
            "GET /ladders",
            "GET /log",
            "GET /mandates/{entry}",
            "GET /objects",
            "GET /objects/{id}",
            "GET /objects/{id}/content",
            "GET /objects/{id}/who-sees",
            "GET /partners",
            "GET /partners/{partner}/letters",
            "GET /partners/{partner}/reach",
            "GET /proofs/{entry}",
            "GET /proofs/{entry}/words",
            "GET /recovery",
            "GET /reserve",
            "GET /reserve/{entry}",
            "GET /reserve/{entry}/proofs/{number}",
            "GET /roster",
            "GET /roster/duty",
            "GET /status",
            "GET /tokens",
            "GET /witnesses",
            "POST /who-sees",
        ],
    ),
    (
        May(TakeIn),
        &[
            "POST /alerts/{number}/acknowledge",
            "GET /handovers",
            "POST /handovers",
            "GET /handovers/draft",
            "POST /handovers/{number}/take",
            "POST /intake",
            "PUT /exports/lists/{name}",
        ],
    ),
    (May(Authorise), &["POST /authorities", "DELETE /authorities/{number}", "PUT /two-persons"]),
    (
        May(Speak),
        &[
            "POST /partners/{partner}/letters/{number}/code",
            "GET /mailbox",
            "POST /mailbox/{number}/dismiss",
            "POST /mailbox/{number}/relay",
            "POST /relays/{number}/confirm",
            "DELETE /relays/{number}",
            "GET /acts",
            "GET /acts/waiting",
            "GET /acts/{number}",
            "POST /acts/{number}/decision",
            "POST /acts/{number}/paper",
            "POST /assistance",
            "POST /assistance/{entry}/accept",
            "GET /assistance/{entry}/pieces/{piece}",
            "POST /assistance/{entry}/custody",
            "POST /assistance/{entry}/evidence",
            "POST /assistance/{entry}/fetch",
            "POST /assistance/{entry}/sealed",
            "POST /reserve",
            "POST /reserve/{entry}/steps",
            "POST /reserve/{entry}/versions",
            "PUT /assistance/{entry}/uploads/{name}",
            "PUT /uploads/{name}/{piece}",
            "POST /assistance/{entry}/notes",
            "POST /assistance/{entry}/mandates",
            "POST /assistance/{entry}/mission",
            "POST /assistance/{entry}/relay",
            "POST /assistance/{entry}/reply",
            "POST /assistance/{entry}/step",
            "POST /assistance/{entry}/versions",
            "POST /capacities",
            "POST /capacities/{entry}/publish",
            "POST /capacities/{entry}/versions",
            "POST /mandates/{entry}/helpers",
            "POST /mandates/{entry}/step",
            "POST /pointers",
            "POST /statements",
            "POST /statements/from-intake",
            "POST /statements/{entry}/disclose",
            "GET /statements/{entry}/ledger",
            "POST /statements/{entry}/withdraw",
        ],
    ),
    (
        May(ManageAudiences),
        &[
            "POST /audiences",
            "PUT /audiences/{name}/members",
            "POST /audiences/{name}/preview",
            "PUT /audiences/{name}/tick",
        ],
    ),
    (
        May(ManagePartners),
        &[
            "POST /partners/accept",
            "POST /partners/invitations",
            "POST /partners/reached",
            "POST /partners/roster",
            "POST /partners/{partner}/confirm",
            "POST /partners/{partner}/confirm-successor",
            "POST /partners/{partner}/cut",
            "POST /partners/{partner}/hold",
            "POST /partners/{partner}/resume",
            "PUT /partners/{partner}/reach",
            "PUT /witnesses",
        ],
    ),
    (
        May(ManageAccounts),
        &[
            "POST /tokens",
            "GET /users",
            "POST /users",
            "PUT /users/{login}",
            "GET /users/{login}/passkeys",
            "DELETE /users/{login}/passkeys/{id}",
            "POST /users/{login}/reset",
        ],
    ),
    (May(Spill), &["GET /spills", "POST /spills", "POST /spills/preview", "GET /spills/{number}"]),
    (May(Hold), &["GET /holds", "POST /holds", "POST /holds/{number}/release"]),
    (May(Retain), &["GET /retention", "POST /retention/apply", "GET /retention/plan", "POST /retention/rules"]),
    (
        May(Operate),
        &[
            "POST /exercises",
            "PUT /exercises/{realm}/clock",
            "POST /exercises/{realm}/end",
            "GET /keys",
            "POST /keys/identity",
            "POST /keys/renewals",
            "POST /keys/requests",
            "POST /operate/clock",
            "POST /operate/rebuild",
        ],
    ),
    (May(DecideLog), &["POST /recovery/decision"]),
    (
        May(ManageRoster),
        &[
            "POST /drills",
            "PUT /ladders/{class}",
            "DELETE /ladders/{class}",
            "POST /roster/import",
            "PUT /roster/persons/{person}",
            "DELETE /roster/persons/{person}",
            "POST /roster/preview",
            "POST /roster/shifts",
            "DELETE /roster/shifts/{number}",
        ],
    ),
];

fn who(route: &str) -> Who {
    let found = TABLE.iter().find(|(_, routes)| routes.contains(&route));
    found.unwrap_or_else(|| panic!("`{route}` is in no row of the table: say who may use it")).0
}

/// What stands in a field whose text has a form of its own.
fn written(field: &str) -> Option<Value> {
    Some(match field {
        "label" => json!("green"),
        "by_when" | "now" | "at" | "until" => json!("2026-12-01T00:00:00Z"),
        "today" => json!("2026-12-01"),
        "digest" => json!("00".repeat(32)),
        "id" => json!("FR:7"),
        "desk" => json!("csirt"),
        "to_desk" => json!("competent-authority"),
        "roles" => json!(["viewer"]),
        "login" => json!("newcomer"),
        "realm" => json!("EX-BLUE"),
        "phase" => json!("ordered"),
        "answer" => json!("no"),
        "for" => json!("read"),
        "level" => json!("eu-restricted"),
        "action" => json!("stop-sharing"),
        "access" => json!("ssh"),
        _ => return None,
    })
}

/// A value that a schema of the contract admits, as small as it goes.
fn sample(contract: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return sample(contract, contract.pointer(name.trim_start_matches('#')).unwrap());
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[word].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            return sample(contract, first);
        }
    }
    if let Some(example) = schema.get("example").or(schema["enum"].get(0)) {
        return example.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "object" => {
            let names = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = names.iter().map(|name| {
                let name = name.as_str().unwrap();
                let value = written(name).unwrap_or_else(|| sample(contract, &schema["properties"][name]));
                (name.to_owned(), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        "array" => json!([]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        _ => json!("x"),
    }
}

/// Every route of the contract: its name in the table, its method, its path and a body that it reads.
fn routes() -> Vec<(String, Method, String, Value)> {
    let contract: Value = serde_json::from_str(&http_room::server::api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let name = format!("{method} {path}");
            let mut at = format!("/api/v1{path}");
            for (part, value) in [
                ("/objects/{id}", "/objects/indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2"),
                ("{entry}", "FR:7"),
                ("{mandate}", "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"),
                ("{realm}", "EX-BLUE"),
                ("{partner}", "EE"),
                ("{name}", "none"),
                ("{login}", "nobody"),
                ("{number}", "7"),
                ("{person}", "nobody"),
                ("{piece}", "0"),
                ("{class}", "answer"),
                ("{id}", "7"),
            ] {
                at = at.replace(part, value);
            }
            at.push_str(match name.as_str() {
                "GET /exports" => "?for=read",
                "PUT /assistance/{entry}/uploads/{name}" => "?size=1",
                "POST /statements" => "?label=green",
                "POST /partners/roster" => "?key=0000000000000000000000000000000000000000000000000000000000000000",
                _ => "",
            });
            let schema = operation.pointer("/requestBody/content/application~1json/schema");
            let mut body = schema.map_or(Value::Null, |schema| sample(&contract, schema));
            match name.as_str() {
                "POST /recovery/decision" => body = json!({"decision": "speak"}),
                "POST /assistance/{entry}/evidence" => body["kind"] = json!("logs"),
                "POST /assistance/{entry}/sealed" => {
                    body["kind"] = json!("logs");
                    (body["pieces"], body["sealed_sha256"]) = (json!("0".repeat(64)), json!("0".repeat(64)));
                }
                "POST /reserve/{entry}/steps" => body["step"] = json!("withdrawn"),
                "POST /reserve" => body = json!({"name": "x"}),
                "POST /reserve/{entry}/versions" => body = json!({}),
                "POST /capacities" => body["kind"] = json!("forensics"),
                // Of somebody else: one's own are made by whoever reads.
                "POST /tokens" => body = json!({"name": "none", "days": 1, "login": "newcomer"}),
                _ => {}
            }
            all.push((name, method, at, body));
        }
    }
    all
}

async fn status(world: &World, client: &Client, route: &(String, Method, String, Value)) -> u16 {
    let (_, method, path, body) = route;
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    // The body of an answer is not waited for: one of them never ends.
    world.raw(client, method.clone(), path, body).await.status().as_u16()
}

#[tokio::test]
async fn every_route_is_for_its_roles_and_for_nobody_else() {
    let world = World::new();
    let routes = routes();
    let named: usize = TABLE.iter().map(|(_, routes)| routes.len()).sum();
    assert_eq!(routes.len(), named, "a row of the table names a route that is not there");
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let person = world.log_in(&world.user(&format!("a-{role}"), role.word()).await).await;
        for route in &routes {
            let May(permission) = who(&route.0) else { continue };
            let told = status(&world, &person, route).await;
            let may = permission.is_carried_by(*role);
            if (told != 403) != may {
                wrong.push(format!("{} by {role}: {told}", route.0));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn no_route_is_for_who_has_not_logged_in_but_those_by_which_one_does() {
    let world = World::new();
    for route in &routes() {
        if who(&route.0) != Anybody {
            assert_eq!(status(&world, &Client::default(), route).await, 401, "{}", route.0);
        }
    }
}
