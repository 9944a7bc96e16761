//! The story: what happens between the nations, step by step, each checked before the next.

use std::time::Duration;

use model::extension::{AudienceKind, WithdrawalAction};
use model::{Index, MediaType, StixId, Tlp};
use node::Node;
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};

use super::DemoError;
use super::exercise::{self, Played};
use super::fleet::Fleet;
use super::help::{self, Helped};
use super::measure;
use super::report::{Row, Spread, say};
use super::samples;

/// What the story brought.
pub(super) struct Told {
    pub(super) objects: u64,
    pub(super) propagation: Spread,
    pub(super) witnessed: Duration,
    pub(super) proofs: u64,
    pub(super) leaks: u64,
    pub(super) held: u64,
    pub(super) receipts: u64,
    pub(super) helped: Helped,
    pub(super) expected_receipts: u64,
    pub(super) table: Vec<Row>,
    /// Two nations' parts in an exercise that still runs.
    pub(super) exercise: Vec<Played>,
    pub(super) crossed: u64,
}

/// Statements whose way to every partner is timed.
const TIMED: u32 = 20;
/// Statements that are made while a node is away.
const WHILE_AWAY: u32 = 200;
/// The longest that the story waits for one step.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Who cosigns France's log: each plays in every demonstration, however small.
const WITNESSES: [&str; 3] = ["DE", "EE", "EU"];
const CASE: &str = "Ransomware, hospital group";
const CELL: &str = "Grid operators";
const EVERYBODY: &str = "EU CSIRTs";

pub(super) async fn play(fleet: &mut Fleet) -> Result<Told, DemoError> {
    let france = fleet.of("FR")?.node().clone();
    let witnessed = witnessed(&france).await?;
    import(fleet, &france).await?;
    let propagation = timed(fleet, &france).await?;
    late_member(fleet, &france).await?;
    away(fleet, &france).await?;
    let receipts = take_back(fleet, &france).await?;
    let helped = help::play(fleet, EVERYBODY).await?;
    forgery(fleet).await?;
    let (exercise, crossed) = exercise::play(fleet).await?;
    say("• checking: every object of every nation against the second policy, proofs of what partners hold");
    let leaks = measure::leaks(fleet).await?;
    let proofs = measure::proofs(fleet).await?;
    Ok(Told {
        objects: measure::own_objects(&france).await?,
        propagation,
        witnessed,
        proofs,
        leaks,
        held: measure::held(fleet).await?,
        receipts,
        helped,
        expected_receipts: fleet.members.len() as u64 - 1,
        table: measure::table(fleet).await?,
        exercise,
        crossed,
    })
}

/// Three partners cosign France's log, and two of them are enough; how long it takes from what France says until then.
async fn witnessed(france: &Node) -> Result<Duration, DemoError> {
    let at = DemoError::at("France has witnesses");
    let names = WITNESSES.map(str::to_owned);
    let chosen = france.write(move |work| node::witness::choose(work, &names, Some(2)));
    chosen.await.map_err(|error| at(&error))?;
    france.tell_partners_changed();
    let begun = tokio::time::Instant::now();
    audiences(france).await?;
    measure::until("France's log is witnessed", || measure::all_witnessed(france)).await?;
    let after = begun.elapsed();
    say(&format!(
        "• {} cosign France's log: its audiences are made, signed and witnessed after {} ms",
        WITNESSES.join(", "),
        after.as_millis()
    ));
    Ok(after)
}

async fn audiences(france: &Node) -> Result<(), DemoError> {
    let at = DemoError::at("France makes its audiences");
    for (name, kind, members) in [
        (EVERYBODY, AudienceKind::Community, vec!["*"]),
        (CASE, AudienceKind::Named, vec!["EE", "MT"]),
        (CELL, AudienceKind::Named, vec!["DE"]),
    ] {
        let members: Vec<String> = members.into_iter().map(str::to_owned).collect();
        let made = france.write(move |work| {
            let target = audience::create(work, name, kind, &members)?;
            if kind == AudienceKind::Community {
                work.tx.tick(target.at.id, true)?;
            }
            Ok::<_, audience::AudienceError>(())
        });
        made.await.map_err(|error| at(&error))?;
    }
    Ok(())
}

async fn import(fleet: &Fleet, france: &Node) -> Result<(), DemoError> {
    let lots = samples::load()?;
    say(&format!("• France asserts {}", lots.source));
    let chosen = [
        (lots.open, Tlp::Clear, Choice::Default),
        (lots.amber, Tlp::Amber, Choice::Named(CASE.to_owned())),
        (lots.strict, Tlp::AmberStrict, Choice::Named(CELL.to_owned())),
    ];
    for (objects, tlp, audience) in chosen {
        let total = objects.len();
        let asserted = assert_all(france, objects, tlp, &audience).await?;
        let to = match &audience {
            Choice::Named(name) => name.as_str(),
            Choice::Default | Choice::Id(_) => EVERYBODY,
        };
        say(&format!("    {asserted} of {total} objects at {tlp} to “{to}”"));
    }
    assert_all(france, vec![indicator("red", 0)], Tlp::Red, &Choice::Default).await?;
    say(&format!("    1 object at {} to nobody", Tlp::Red));
    measure::in_step(fleet, france).await?;
    say("    every partner is in step with France's log");
    Ok(())
}

pub(super) async fn assert_all(
    node: &Node,
    objects: Vec<RawObject>,
    tlp: Tlp,
    audience: &Choice,
) -> Result<usize, DemoError> {
    let at = DemoError::at("France asserts");
    let mut asserted = 0;
    let mut rest = objects;
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(node::limits::COMMAND_OBJECTS / 2));
        let command = Assert { objects: rest, tlp, pap: None, walled: None, audience: audience.clone() };
        let done = node.write(move |work| node::assert::assert(work, &command));
        let fates = done.await.map_err(|error| at(&error))?;
        asserted += fates.iter().filter(|fate| matches!(fate, ObjectFate::Asserted { .. })).count();
        rest = later;
    }
    Ok(asserted)
}

/// One indicator of our own invention; the number makes its id and its domain.
pub(super) fn indicator(kind: &str, number: u32) -> RawObject {
    let place = kind.bytes().fold(number, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let text = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--5eed0000-0000-4000-8000-{place:012x}",
"created":"2026-11-24T03:00:00Z","modified":"2026-11-24T03:00:00Z","name":"{kind} beacon {number}",
"pattern":"[domain-name:value = '{kind}-{number}.example']","pattern_type":"stix","valid_from":"2026-11-24T03:00:00Z"}}"#
    );
    RawObject { media: MediaType::Stix, bytes: text.into_bytes() }
}

pub(super) fn id_of(object: &RawObject) -> Result<StixId, DemoError> {
    let head = model::stix::head(&object.bytes).map_err(|error| DemoError::at("an indicator")(&error))?;
    Ok(head.id)
}

async fn timed(fleet: &Fleet, france: &Node) -> Result<Spread, DemoError> {
    say(&format!("• one GREEN statement to {} partners, {TIMED} times", fleet.members.len() - 1));
    let mut times = Vec::new();
    for number in 0..TIMED {
        let object = indicator("timed", number);
        let id = id_of(&object)?;
        let waiting = measure::Arrivals::of(fleet, france, &id);
        assert_all(france, vec![object], Tlp::Green, &Choice::Default).await?;
        times.extend(waiting.all().await?);
    }
    Ok(Spread::of(times))
}

async fn late_member(fleet: &Fleet, france: &Node) -> Result<(), DemoError> {
    let at = DemoError::at("Germany joins the case");
    let members: Vec<String> = ["EE", "MT", "DE"].iter().map(|&name| name.to_owned()).collect();
    let wanted = members.clone();
    let preview = france.write(move |work| audience::preview(work, CASE, &wanted));
    let preview = preview.await.map_err(|error| at(&error))?;
    say(&format!(
        "• Germany joins “{CASE}” late: {} older statements go, after a person saw the number",
        preview.older
    ));
    let changed = france.write(move |work| audience::change(work, CASE, &members, Some(preview.older)));
    changed.await.map_err(|error| at(&error))?;
    let germany = fleet.of("DE")?.node();
    measure::whole_chain(germany, france, preview.older).await
}

async fn away(fleet: &mut Fleet, france: &Node) -> Result<(), DemoError> {
    say(&format!("• Estonia is unplugged; France makes {WHILE_AWAY} statements meanwhile"));
    fleet.of_mut("EE")?.go_away().await;
    let objects: Vec<RawObject> = (0..WHILE_AWAY).map(|number| indicator("away", number)).collect();
    let last = id_of(&objects[objects.len() - 1])?;
    assert_all(france, objects, Tlp::Green, &Choice::Default).await?;
    let estonia = fleet.of("EE")?.node().clone();
    if measure::holds(&estonia, &last).await? {
        return Err(DemoError::at("Estonia is unplugged")(&"it received all the same"));
    }
    fleet.of_mut("EE")?.come_back().await?;
    measure::until("Estonia catches up", || measure::holds(&estonia, &last)).await?;
    say("    Estonia is back and has caught up");
    Ok(())
}

async fn take_back(fleet: &Fleet, france: &Node) -> Result<u64, DemoError> {
    let at = DemoError::at("France withdraws");
    let object = indicator("wrong", 0);
    let id = id_of(&object)?;
    let waiting = measure::Arrivals::of(fleet, france, &id);
    assert_all(france, vec![object], Tlp::Green, &Choice::Default).await?;
    waiting.all().await?;
    let index: Index = measure::own_index(france, &id).await?;
    let withdrawn = france.write(move |work| {
        node::withdraw::withdraw(work, index, WithdrawalAction::StopSharing, "false positive: a hospital's own server")
    });
    let told = withdrawn.await.map_err(|error| at(&error))?.told.len() as u64;
    measure::until("every partner obeys and answers", || async {
        Ok(measure::receipts(france, index).await? >= told && measure::nobody_shows(fleet, france, &id).await?)
    })
    .await?;
    let receipts = measure::receipts(france, index).await?;
    say(&format!("• a wrong indicator is withdrawn: obeyed by all, {receipts} receipts to France alone"));
    Ok(receipts)
}

async fn forgery(fleet: &Fleet) -> Result<(), DemoError> {
    let at = DemoError::at("Malta forges");
    let (malta, france) = (fleet.of("MT")?, fleet.of("FR")?);
    malta.forger.forge_to(france.opened.tls.pin());
    let made = malta.node().write(|work| {
        let all = audience::create(work, "All partners of Malta", AudienceKind::Community, &["*".to_owned()])?;
        work.tx.tick(all.at.id, true)?;
        Ok::<_, audience::AudienceError>(())
    });
    made.await.map_err(|error| at(&error))?;
    assert_all(malta.node(), vec![indicator("forged", 0)], Tlp::Green, &Choice::Default).await?;
    measure::until("France holds Malta", || async { Ok(measure::held_by(france.node()).await? == 1) }).await?;
    if !malta.forger.has_forged() {
        return Err(at(&"nothing was forged"));
    }
    say(
        "• Malta's node sends France a statement that its log does not commit to: refused, and Malta is held with the evidence",
    );
    Ok(())
}
