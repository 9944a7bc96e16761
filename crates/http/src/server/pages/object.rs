//! `/objects/{id}`: one statement whole, with its provenance and its readers; and the form that takes it back.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::extension::WithdrawalAction;
use model::{EntryRef, Origin};
use node::Permission;
use store::Face;

use super::super::api::App;
use super::super::api::audiences::{self, Audience};
use super::super::api::disclosures::{self, Disclose, Disclosed};
use super::super::api::objects::{self, Detail, Receipt, Statement};
use super::super::api::pointers::Call;
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::statements::{self, Withdraw};
use super::super::api::who_sees::{self, Sheet};
use super::super::session::Caller;
use super::frame::{Frame, Place, chip, commitment, notice, origin_chip, scrolling, tlp};
use super::json::indented;
use super::objects::{title, version};
use super::posted::{Fields, Posted};
use super::text::{plain, time};

/// What a page about one statement is made of.
struct Shown {
    detail: Detail,
    audience: Option<Audience>,
    sheet: Option<Sheet>,
    own: bool,
}

impl Shown {
    fn object(&self) -> &Statement {
        &self.detail.object
    }

    /// Can it be withdrawn? What was stopped can still be purged.
    fn can_be_withdrawn(&self) -> bool {
        self.own && self.object().lane == "intelligence" && self.object().state != "erased"
    }
}

/// The page.
pub async fn page(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Objects);
    let shown = read(&app, &caller, id).await?;
    Ok(frame.page(&title(shown.object()), &body(&frame, &shown)))
}

async fn read(app: &App, caller: &Caller, id: String) -> Result<Shown, Refusal> {
    let detail = objects::given(app, caller, &id, Face::Page).await?;
    let Json(listed) = audiences::list(State(app.clone()), caller.clone()).await?;
    let base = |origin: &str| origin.parse::<Origin>().ok().map(|origin| origin.base());
    let own = base(&detail.object.origin) == Some(app.node().me().origin.base());
    let is_its =
        |audience: &Audience| audience.audience == detail.object.audience && audience.origin == detail.object.origin;
    let audience = listed.items.into_iter().find(is_its);
    let sheet = if own {
        let sheet =
            who_sees::of_object(State(app.clone()), caller.clone(), Segment(detail.object.entry.clone())).await?;
        Some(sheet.0)
    } else {
        None
    };
    Ok(Shown { detail, audience, sheet, own })
}

fn body(frame: &Frame, shown: &Shown) -> Markup {
    let object = shown.object();
    html! {
        p class="crumbs" { a href="/objects" { "Objects" } " / " code { (object.entry) } }
        h1 { bdi { (title(object)) } }
        p class="labels" {
            (tlp(&object.tlp)) " " (object.kind)
            @if object.state != "live" { " " span class="state" { (object.state) } }
            @if object.revoked { " " span class="state" { "revoked by its maker" } }
            @if object.repudiated { " " span class="state" { "repudiated by its owner" } }
            @if let Some(wall) = object.wall { " " span class="state" { "behind the wall: " (wall) } }
        }
        @if object.repudiated {
            p class="notice bad" role="status" {
                "Its owner says that somebody else said this with its stolen keys. It stays in the log, and is not "
                "exported, detected or blocked with."
            }
        }
        div class="columns wide-left" {
            div {
                @if let Some(call) = &shown.detail.call { (annex(call)) }
                (provenance(shown))
                (statements_about(&shown.detail.statements, &object.entry))
                (content(shown))
                @if let Some(joined) = &shown.detail.joined { (whole_event(shown, joined.get())) }
            }
            div {
                @if object.wall.is_some() { (wall(frame, shown, &Fields::default(), None)) }
                @if let Some(sheet) = &shown.sheet { (who_sees_card(sheet, object)) }
                @if shown.own { (members(&shown.detail.members)) }
                @if !shown.detail.receipts.is_empty() { (receipts(&shown.detail.receipts)) }
                (downloads(shown))
                @if frame.may(Permission::Spill) { (spill_card(frame, object)) }
                @if shown.can_be_withdrawn() && frame.may(Permission::Speak) {
                    section class="card" aria-labelledby="withdraw-title" {
                        div class="head" { h2 id="withdraw-title" { "Withdraw" } }
                        (withdraw_form(frame, object, "", "stop-sharing", None))
                    }
                }
            }
        }
    }
}

fn provenance(shown: &Shown) -> Markup {
    let object = shown.object();
    html! {
        section class="card" aria-labelledby="provenance-title" {
            div class="head" { h2 id="provenance-title" { "Who said it" } }
            dl class="facts inside" {
                div { dt { "Owner" } dd { (origin_chip(&object.origin)) " " code { (object.origin) } } }
                div { dt { "Entry" } dd { code { (object.entry) } ", index " (object.index) } }
                div { dt { "Commitment" } dd { (commitment(&object.commitment)) } }
                div { dt { "Arrived here" } dd { (time(&object.arrived)) } }
                div { dt { "Witnessed" } dd { (witnessed(shown)) } }
                div { dt { "Label" } dd { (tlp(&object.tlp)) } }
                div {
                    dt { "PAP" }
                    dd {
                        @match &object.pap {
                            Some(pap) => { "PAP:" (pap.to_ascii_uppercase()) },
                            None => "none: neither detection nor blocking",
                        }
                    }
                }
                div {
                    dt { "Audience" }
                    dd {
                        @match &shown.audience {
                            Some(audience) => {
                                (plain(&audience.name)) " " span class="quiet" { "version " (audience.version) }
                            },
                            None if object.tlp == "red" => "nobody: named readers on the owner’s node",
                            None => code { (object.audience) },
                        }
                    }
                }
                div { dt { "Thread" } dd { code { (object.thread) } ", version " (object.thread_version) } }
                div { dt { "Object" } dd { code { (object.stix_id) } } }
                div { dt { "Object’s version" } dd { (version(&object.version)) } }
            }
        }
    }
}

/// Who has cosigned it: from then on nobody can say that it was never said, or later.
fn witnessed(shown: &Shown) -> Markup {
    match &shown.detail.witnessed {
        None => html! { span class="quiet" { "received, not witnessed" } },
        Some(lines) => html! {
            @for (at, line) in lines.iter().enumerate() {
                @if at > 0 { ", " }
                (origin_chip(&line.by)) " " (time(&line.at))
            }
        },
    }
}

fn statements_about(statements: &[Statement], this: &str) -> Markup {
    let nations: std::collections::BTreeSet<&str> = statements.iter().map(|object| object.origin.as_str()).collect();
    html! {
        section class="card" aria-labelledby="said-title" {
            div class="head" {
                h2 id="said-title" { "Every statement about it" }
                span class="quiet" {
                    (statements.len()) " by " (nations.len()) @if nations.len() == 1 { " nation" } @else { " nations" }
                }
            }
            (scrolling("Statements about this object", &html! {
                table {
                    caption { "Newest version first, as far as you may see them" }
                    thead {
                        tr {
                            th scope="col" { "Owner" }
                            th scope="col" { "Entry" }
                            th scope="col" { "Version" }
                            th scope="col" { "Label" }
                            th scope="col" { "State" }
                            th scope="col" { "Arrived" }
                        }
                    }
                    tbody {
                        @for object in statements {
                            tr aria-current=[(object.entry == this).then_some("true")] {
                                td { (origin_chip(&object.origin)) }
                                th scope="row" {
                                    a href={ "/objects/" (object.entry) } { (object.entry) }
                                    @if object.entry == this { " (this one)" }
                                }
                                td { (version(&object.version)) }
                                td { (tlp(&object.tlp)) }
                                td { (object.state) }
                                td { (time(&object.arrived)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn content(shown: &Shown) -> Markup {
    html! {
        section class="card" aria-labelledby="content-title" {
            div class="head" { h2 id="content-title" { "What it says" } span class="quiet" { (shown.object().media) } }
            @match &shown.detail.body {
                Some(body) => pre class="body" tabindex="0" role="region" aria-label="The object as it was said" {
                    (indented(body.get()))
                },
                None => p class="inside" {
                    "The body is gone: it was "
                    (shown.object().state)
                    ". Envelope and commitment stay, so the log still verifies."
                },
            }
        }
    }
}

/// A classified annex exists: whom to call.
fn annex(call: &Call) -> Markup {
    html! {
        section class="card alarm" aria-labelledby="annex-title" {
            div class="head" { h2 id="annex-title" { "A classified annex exists: call" } span class="quiet" { (call.level) } }
            dl class="facts inside" {
                div { dt { "Call" } dd { strong { (plain(&call.desk)) ", " (plain(&call.telephone)) } } }
                div { dt { "Ask for" } dd { strong { (plain(&call.reference)) } } }
                div { dt { "Kept at" } dd { (plain(&call.held_at)) } }
                div { dt { "About" } dd { (plain(&call.summary)) } }
            }
        }
    }
}

/// An event that its owner said in parts, as far as the reader may see them.
fn whole_event(shown: &Shown, joined: &str) -> Markup {
    html! {
        section class="card" aria-labelledby="whole-title" {
            div class="head" {
                h2 id="whole-title" { "The event as a whole" }
                span class="quiet" { (shown.detail.parts.len() + 1) " parts, as far as you may see them" }
            }
            ul class="inside" {
                li { (tlp(&shown.object().tlp)) " " code { (shown.object().entry) } " (this one)" }
                @for part in &shown.detail.parts {
                    li { (tlp(&part.tlp)) " " a href={ "/objects/" (part.entry) } { (part.entry) } }
                }
            }
            pre class="body" tabindex="0" role="region" aria-label="The event, put together from its parts" {
                (indented(joined))
            }
        }
    }
}

/// What stands behind the wall says so, with every act that opened it: the entity can see to whom it was shown.
fn wall(frame: &Frame, shown: &Shown, fields: &Fields, wrong: Option<&str>) -> Markup {
    let object = shown.object();
    html! {
        section class="card" aria-labelledby="wall-title" {
            div class="head" { h2 id="wall-title" { "Behind the wall" } span class="quiet" { (object.wall.unwrap_or("")) } }
            div class="inside" {
                p { "Told in confidence (NIS2 Art 30(2)): supervising desks do not see it." }
                @if shown.detail.disclosed.is_empty() { p { "It was disclosed to nobody." } }
                @else { ul { @for act in &shown.detail.disclosed { (disclosed(act)) } } }
            }
            @if shown.own && object.state == "live" && object.tlp != "red" && frame.may_disclose() {
                (disclose_form(frame, object, fields, wrong))
            }
        }
    }
}

fn disclosed(act: &Disclosed) -> Markup {
    html! {
        li {
            "Disclosed to " strong { (plain(&act.to_desk)) } " under " strong { (plain(&act.article)) } ", "
            (time(&act.at)) " by " (plain(&act.by)) ": " q { (plain(&act.reason)) }
        }
    }
}

fn disclose_form(frame: &Frame, object: &Statement, fields: &Fields, wrong: Option<&str>) -> Markup {
    html! {
        form class="inside stacked" method="post" action={ "/objects/" (object.entry) "/disclose" } {
            (frame.csrf())
            @if let Some(wrong) = wrong { (notice("bad", wrong)) }
            p { "Disclose it to the supervising desk " code { "competent-authority" } "?" }
            label for="article" { "Under which article of law" }
            input id="article" name="article" value=(fields.text("article")) maxlength="120" required;
            label for="disclose-reason" { "Why, in one line: the entity reads it" }
            input id="disclose-reason" name="reason" value=(fields.text("reason")) maxlength="1000" required;
            label {
                input type="checkbox" name="sure" value="yes" required;
                " I know that everybody who sees the statement sees this act, and that nothing undoes it"
            }
            button class="danger" { "Disclose " (object.entry) }
        }
    }
}

/// Lets the supervising desk through the wall, once the box is ticked.
pub async fn disclose(State(app): State<App>, Segment(id): Segment, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    caller.actor.require(Permission::Speak)?;
    let frame = Frame::of(&app, &caller, Place::Objects);
    let shown = read(&app, &caller, id).await?;
    let entry = shown.object().entry.clone();
    let wrong = if fields.text("sure") == "yes" {
        let command = Disclose {
            to_desk: model::Desk::CompetentAuthority.word().to_owned(),
            article: fields.text("article").to_owned(),
            reason: fields.text("reason").to_owned(),
            person: None,
        };
        let segment = Segment(entry.clone());
        match disclosures::disclose(State(app), caller, segment, key, fields.input(command)).await {
            Ok(_) => return Ok(Redirect::to(&format!("/objects/{entry}")).into_response()),
            Err(Refusal(problem)) if problem.status < 500 => problem.detail.unwrap_or(problem.title),
            Err(other) => return Err(other),
        }
    } else {
        "tick the box: a disclosure can’t be undone".to_owned()
    };
    let page = html! {
        p class="crumbs" { a href="/objects" { "Objects" } " / " a href={ "/objects/" (entry) } { (entry) } }
        h1 { "Disclose " bdi { (title(shown.object())) } "?" }
        (wall(&frame, &shown, &fields, Some(&wrong)))
    };
    Ok(frame.page("Disclose", &page).into_response())
}

fn who_sees_card(sheet: &Sheet, object: &Statement) -> Markup {
    let seeing = sheet.partners.iter().filter(|line| line.sees).count();
    html! {
        section class="card" aria-labelledby="sees-title" {
            div class="head" { h2 id="sees-title" { "Who will see this?" } }
            div class="inside" {
                p {
                    strong { (seeing) } " of " (sheet.partners.len()) " partners"
                    @if let Some(audience) = &sheet.audience {
                        @if object.tlp != "red" { ", audience " strong { (plain(audience)) } }
                    }
                }
                (sheet_lines(sheet))
            }
        }
    }
}

pub(super) fn sheet_lines(sheet: &Sheet) -> Markup {
    html! {
        ul class="sees" {
            @for line in &sheet.partners {
                li class=(if line.sees { "yes" } else { "no" }) {
                    (chip(&line.country))
                    " "
                    (plain(&line.name))
                    ": "
                    strong { @if line.sees { "sees it" } @else { "left out" } }
                    ", "
                    (line.because)
                }
            }
            @for origin in &sheet.unreachable {
                li class="no" {
                    (origin_chip(origin)) " in the audience, but no active partner now: it gets it when it is one"
                }
            }
            @if sheet.partners.is_empty() && sheet.unreachable.is_empty() {
                li { "Nobody beyond this node: there is no partner." }
            }
        }
    }
}

fn members(members: &[String]) -> Markup {
    html! {
        section class="card" aria-labelledby="members-title" {
            div class="head" { h2 id="members-title" { "Said to" } span class="quiet" { (members.len()) } }
            p class="inside chips" {
                @if members.is_empty() { "Nobody: it is opened to no node." }
                @for member in members { (origin_chip(member)) " " }
            }
        }
    }
}

fn receipts(receipts: &[Receipt]) -> Markup {
    html! {
        section class="card" aria-labelledby="receipts-title" {
            div class="head" { h2 id="receipts-title" { "Receipts of the withdrawal" } }
            ul class="inside" {
                @for receipt in receipts {
                    li {
                        (origin_chip(&receipt.partner)) " stopped using it"
                        @if receipt.erased { ", erased the body" }
                        @if receipt.held { ", " strong { "keeps the body sealed: held by law" } }
                        @match receipt.exports {
                            Some(exports) => { ", exports " (exports) }
                            None => { ", exports not counted there" }
                        }
                        @if let Some(lost) = receipt.not_recalled.filter(|lost| *lost > 0) {
                            ", of which " strong class="warn" { (lost) } " can’t be recalled"
                        }
                        @if let Some(entry) = &receipt.entry { " (" code { (entry) } ")" }
                    }
                }
            }
        }
    }
}

/// For what must not be here at all: its own step shows what would be purged, and who has it.
fn spill_card(frame: &Frame, object: &Statement) -> Markup {
    html! {
        section class="card" aria-labelledby="spill-title" {
            div class="head" { h2 id="spill-title" { "Must this not be here?" } }
            form class="inside stacked" method="post" action="/spills" {
                (frame.csrf())
                input type="hidden" name="id" value=(object.entry);
                p { "Classified, or a victim’s secret: it is purged with everything derived from it." }
                button class="secondary" { "Look at what a spill would reach" }
            }
        }
    }
}

fn downloads(shown: &Shown) -> Markup {
    let entry = &shown.object().entry;
    html! {
        section class="card" aria-labelledby="downloads-title" {
            div class="head" { h2 id="downloads-title" { "Take it along" } }
            ul class="inside" {
                @if shown.detail.body.is_some() {
                    li {
                        a href={ "/api/v1/objects/" (entry) "/content" }
                            download={ (entry.replace(':', "-")) ".json" } {
                            "The object, with its marking"
                        }
                    }
                    li { a href={ "/proofs/" (entry) "/file" } download { "Proof, open" } ": shows what was said" }
                }
                li {
                    a href={ "/proofs/" (entry) "/file?sealed=true" } download { "Proof, sealed" }
                    ": shows when, and that it was said"
                }
                li { a href={ "/proofs/" (entry) } { "What a proof proves, and how to verify it" } }
            }
        }
    }
}

fn withdraw_form(frame: &Frame, object: &Statement, reason: &str, action: &str, error: Option<&str>) -> Markup {
    html! {
        form class="inside stacked" method="post" action={ "/objects/" (object.entry) "/withdraw" } {
            (frame.csrf())
            @if let Some(error) = error { (notice("bad", error)) }
            label for="reason" { "Why, in one line of English" }
            input id="reason" name="reason" value=(reason) maxlength="1000" required;
            fieldset {
                legend { "How far" }
                @if object.state == "live" {
                    label {
                        input type="radio" name="action" value="stop-sharing" checked[action == "stop-sharing"];
                        " Stop sharing: nobody shows or uses it any more"
                    }
                }
                label {
                    input type="radio" name="action" value="purge" checked[action == "purge" || object.state != "live"];
                    " Purge: the body is erased as well, here and there"
                }
            }
            button class="secondary" { "Look at what would happen" }
        }
    }
}

/// The address of a form that was opened without sending it leads to the object.
pub async fn back(Segment(id): Segment) -> Result<Redirect, Refusal> {
    let name: EntryRef = id.parse().map_err(Refusal::unreadable)?;
    Ok(Redirect::to(&format!("/objects/{name}")))
}

/// Two steps: the first shows who would be told, the second does it.
pub async fn withdraw(State(app): State<App>, Segment(id): Segment, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    caller.actor.require(Permission::Speak)?;
    let frame = Frame::of(&app, &caller, Place::Objects);
    let shown = read(&app, &caller, id).await?;
    let entry = shown.object().entry.clone();
    let Some(action) = action_of(&fields) else {
        return Err(Refusal::unreadable("choose `stop-sharing` or `purge`, then send the form again"));
    };
    let wrong = if fields.text("reason").is_empty() {
        Some("a withdrawal needs its reason: partners read it".to_owned())
    } else if fields.text("sure") == "yes" {
        let command = Withdraw { action, reason: fields.text("reason").to_owned() };
        let done = statements::withdraw(State(app), caller, Segment(entry.clone()), key, fields.input(command)).await;
        match done {
            Ok(_) => return Ok(Redirect::to(&format!("/objects/{entry}")).into_response()),
            Err(Refusal(problem)) if problem.status < 500 => Some(problem.detail.unwrap_or(problem.title)),
            Err(other) => return Err(other),
        }
    } else {
        None
    };
    Ok(frame.page("Withdraw", &confirm(&frame, &shown, &fields, wrong.as_deref())).into_response())
}

fn action_of(fields: &Fields) -> Option<WithdrawalAction> {
    match fields.text("action") {
        "stop-sharing" => Some(WithdrawalAction::StopSharing),
        "purge" => Some(WithdrawalAction::Purge),
        _ => None,
    }
}

fn confirm(frame: &Frame, shown: &Shown, fields: &Fields, wrong: Option<&str>) -> Markup {
    let object = shown.object();
    let (reason, action) = (fields.text("reason"), fields.text("action"));
    html! {
        p class="crumbs" {
            a href="/objects" { "Objects" } " / " a href={ "/objects/" (object.entry) } { (object.entry) }
        }
        h1 { "Withdraw " bdi { (title(object)) } "?" }
        @if let Some(wrong) = wrong {
            section class="card" aria-label="Withdraw" { (withdraw_form(frame, object, reason, action, Some(wrong))) }
        } @else {
            section class="card alarm" aria-labelledby="sure-title" {
                div class="head" { h2 id="sure-title" { "Nothing has been sent yet" } }
                div class="inside" {
                    p {
                        @if action == "purge" {
                            "The body will be "
                            strong { "erased" }
                            " here, and every partner that has it is told to erase it. This can’t be undone."
                        }
                        @else { "Every partner that has it is told to stop showing and using it." }
                    }
                    p { "Reason: " q { (plain(reason)) } }
                    p { "Told, because they had it:" }
                    @if let Some(sheet) = &shown.sheet { (told(sheet)) }
                    form class="buttons" method="post" action={ "/objects/" (object.entry) "/withdraw" } {
                        (frame.csrf())
                        input type="hidden" name="reason" value=(reason);
                        input type="hidden" name="action" value=(action);
                        button class="danger" name="sure" value="yes" { "Withdraw " (object.entry) " now" }
                        a class="button secondary" href={ "/objects/" (object.entry) } { "Leave it as it is" }
                    }
                }
            }
        }
    }
}

fn told(sheet: &Sheet) -> Markup {
    // After a first withdrawal nobody sees it any more: the members are still the ones who are told.
    let had: Vec<&who_sees::Line> = sheet.partners.iter().filter(|line| line.sees).collect();
    html! {
        ul class="sees" {
            @for line in &had { li class="yes" { (chip(&line.country)) " " (plain(&line.name)) } }
            @for origin in &sheet.unreachable {
                li class="no" { (origin_chip(origin)) " when it is an active partner again" }
            }
            @if had.is_empty() && sheet.unreachable.is_empty() {
                li { "No active partner sees it now; whoever ever had it is still told." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::super::objects::tests::object;
    use super::*;

    fn shown(body: Option<&str>) -> Shown {
        let body = body.map(|text| RawValue::from_string(text.to_owned()).unwrap());
        let detail = Detail {
            object: object(Some("<img src=x>")),
            statements: vec![object(None)],
            body,
            witnessed: None,
            members: Vec::new(),
            receipts: Vec::new(),
            call: None,
            disclosed: Vec::new(),
            parts: Vec::new(),
            joined: None,
        };
        Shown { detail, audience: None, sheet: None, own: true }
    }

    #[test]
    fn bodies_are_shown_whole_and_never_run() {
        let text = content(&shown(Some(r#"{"name":"</pre><script>alert(1)</script>","n":1.50}"#))).into_string();
        assert!(text.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("1.50"), "{text}");
        assert!(!text.contains("<script"), "{text}");
        let gone = content(&shown(None)).into_string();
        assert!(gone.contains("The body is gone"), "{gone}");
    }

    #[test]
    fn titles_of_strangers_are_escaped_in_the_provenance() {
        let shown = shown(None);
        let text =
            provenance(&shown).into_string() + &statements_about(&shown.detail.statements, "FR:12").into_string();
        assert!(text.contains("1 by 1 nation") && text.contains("(this one)") && !text.contains("<img"), "{text}");
    }

    #[test]
    fn only_our_own_intelligence_is_withdrawn() {
        let check = |change: fn(&mut Shown), expect| {
            let mut shown = shown(None);
            change(&mut shown);
            assert_eq!(shown.can_be_withdrawn(), expect);
        };
        check(|_| {}, true);
        check(|shown| shown.own = false, false);
        check(|shown| shown.detail.object.lane = "workflow", false);
        check(|shown| shown.detail.object.state = "withdrawn", true);
        check(|shown| shown.detail.object.state = "erased", false);
    }
}
