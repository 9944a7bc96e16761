//! What came out of the story, counted from the databases themselves.

use std::future::Future;
use std::time::{Duration, Instant};

use journal::proof::ProofFile;
use model::{EntryRef, Index, MemberSet, StixId, Tlp};
use node::{Actor, Node};
use policy::{Purpose, Viewer, oracle};
use store::{ObjectFilter, ObjectRow, ObjectState, PartnerState, StatementId, StoreError};
use tokio::task::JoinSet;

use super::DemoError;
use super::fleet::{Fleet, Member};
use super::report::Row;
use super::story::PATIENCE;

/// Proofs that are made of each nation's holdings.
const PROOFS_A_NATION: usize = 8;
/// Objects that are read at once.
const PAGE: usize = 1_000;

fn broken(error: StoreError) -> DemoError {
    DemoError::at("reading a database")(&error)
}

/// Have enough witnesses cosigned all that a node has signed?
pub(super) async fn all_witnessed(node: &Node) -> Result<bool, DemoError> {
    let read = node.read(|view| {
        let witnessed = view.db.witnessed(view.me.log)?;
        Ok::<_, store::StoreError>(witnessed.is_some_and(|row| row.size == view.signed.size))
    });
    read.await.map_err(|error| DemoError::at("whether the log is witnessed")(&error))
}

/// Asks again until it is so.
#[expect(clippy::disallowed_methods, reason = "the demonstration's own patience, no state depends on it")]
pub(super) async fn until<F>(step: &'static str, mut holds: impl FnMut() -> F) -> Result<(), DemoError>
where
    F: Future<Output = Result<bool, DemoError>>,
{
    let begun = Instant::now();
    while !holds().await? {
        if begun.elapsed() > PATIENCE {
            return Err(DemoError::at(step)(&format!("it did not come about within {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Is every partner in step with a node's log, with nothing left to fetch?
pub(super) async fn in_step(fleet: &Fleet, node: &Node) -> Result<(), DemoError> {
    let origin = node.me().origin.clone();
    for member in fleet.members.iter().filter(|member| member.node().me().origin != origin) {
        until("partners fetch what France said", || {
            let (origin, size) = (origin.clone(), node.signed().size);
            let them = member.node().me().origin.clone();
            async move {
                let read = member.node().read(move |view| {
                    let Some(log) = view.db.log_id(&origin)? else { return Ok::<_, StoreError>(false) };
                    Ok(view.db.tree(log)?.size >= size)
                });
                let behind = node.read(move |view| match view.db.log_id(&them)? {
                    Some(log) => node::feed::behind(view, log),
                    None => Ok(0),
                });
                Ok(read.await.map_err(broken)? && behind.await.map_err(broken)? == 0)
            }
        })
        .await?;
    }
    Ok(())
}

/// Waits for one object at every partner of a node, and says how long each took.
pub(super) struct Arrivals {
    waiting: JoinSet<Result<Duration, StoreError>>,
}

impl Arrivals {
    #[expect(clippy::disallowed_methods, reason = "the time that is measured")]
    pub(super) fn of(fleet: &Fleet, owner: &Node, id: &StixId) -> Self {
        let begun = Instant::now();
        let mut waiting = JoinSet::new();
        for member in fleet.members.iter().filter(|member| member.node().me().origin != owner.me().origin) {
            let (node, id) = (member.node().clone(), id.clone());
            waiting.spawn(async move {
                let mut changes = node.changes();
                loop {
                    changes.mark_unchanged();
                    let wanted = id.clone();
                    let there = node.read(move |view| Ok::<_, StoreError>(!view.db.objects_by_id(&wanted)?.is_empty()));
                    if there.await? {
                        return Ok(begun.elapsed());
                    }
                    // A node that ends ends the waiting too; the time-out around it says so.
                    let _ = changes.changed().await;
                }
            });
        }
        Self { waiting }
    }

    pub(super) async fn all(self) -> Result<Vec<Duration>, DemoError> {
        let at = DemoError::at("a statement reaches every partner");
        let all = tokio::time::timeout(PATIENCE, self.waiting.join_all()).await.map_err(|error| at(&error))?;
        all.into_iter().collect::<Result<_, _>>().map_err(broken)
    }
}

/// Does a node show a live object of this id?
pub(super) async fn holds(node: &Node, id: &StixId) -> Result<bool, DemoError> {
    let id = id.clone();
    let rows = node.read(move |view| view.db.objects_by_id(&id)).await.map_err(broken)?;
    Ok(rows.iter().any(|row| row.state == ObjectState::Live))
}

/// Has every other node stopped showing it?
pub(super) async fn nobody_shows(fleet: &Fleet, owner: &Node, id: &StixId) -> Result<bool, DemoError> {
    for member in fleet.members.iter().filter(|member| member.node().me().origin != owner.me().origin) {
        if holds(member.node(), id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where a node's own newest statement about an id stands.
pub(super) async fn own_index(node: &Node, id: &StixId) -> Result<Index, DemoError> {
    let wanted = id.clone();
    let row = node.read(move |view| view.db.own_latest(view.me.log, &wanted)).await.map_err(broken)?;
    row.map(|row| row.index).ok_or_else(|| DemoError::at("looking for an own statement")(id))
}

/// Receipts that a node has for one of its statements.
pub(super) async fn receipts(node: &Node, index: Index) -> Result<u64, DemoError> {
    let count = node.read(move |view| match view.db.statement_at(view.me.log, index)? {
        Some(statement) => Ok(view.db.receipts_of(statement.id)?.len() as u64),
        None => Ok(0),
    });
    count.await.map_err(broken)
}

/// Waits until a late member has the whole chain of an audience: no gap, from its beginning.
pub(super) async fn whole_chain(member: &Node, owner: &Node, older: u64) -> Result<(), DemoError> {
    until("a late member gets the history", || {
        let origin = owner.me().origin.clone();
        async move {
            let whole = member.read(move |view| {
                let Some(log) = view.db.log_id(&origin)? else { return Ok::<_, StoreError>(false) };
                let chains = view.db.chains(log)?;
                let count: u64 = chains.iter().map(|chain| chain.count).sum();
                Ok(count > older && chains.iter().all(|chain| !chain.is_incomplete() && chain.low == 0))
            });
            whole.await.map_err(broken)
        }
    })
    .await
}

/// Partners that one node holds.
pub(super) async fn held_by(node: &Node) -> Result<u64, DemoError> {
    let partners = node.read(|view| view.db.partners()).await.map_err(broken)?;
    Ok(partners.iter().filter(|partner| partner.state == PartnerState::Held).count() as u64)
}

/// Partners held anywhere.
pub(super) async fn held(fleet: &Fleet) -> Result<u64, DemoError> {
    let mut held = 0;
    for member in &fleet.members {
        held += held_by(member.node()).await?;
    }
    Ok(held)
}

/// Objects of a node's own that are in force.
pub(super) async fn own_objects(node: &Node) -> Result<u64, DemoError> {
    Ok(live_of(node, node).await?.len() as u64)
}

/// The live objects of `owner` as `holder` has them.
async fn live_of(holder: &Node, owner: &Node) -> Result<Vec<ObjectRow>, DemoError> {
    let origin = owner.me().origin.clone();
    let rows = holder.read(move |view| {
        let Some(log) = view.db.log_id(&origin)? else { return Ok(Vec::new()) };
        let filter = ObjectFilter { log: Some(log), state: Some(ObjectState::Live), ..ObjectFilter::default() };
        let mut all: Vec<ObjectRow> = Vec::new();
        loop {
            let after: Option<StatementId> = all.last().map(|row| row.statement);
            let page = view.db.objects_page(&filter, after, PAGE)?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok::<_, StoreError>(all);
            }
        }
    });
    let mut rows = rows.await.map_err(broken)?;
    rows.retain(|row| row.lane == model::Lane::Intelligence);
    Ok(rows)
}

/// Statements that a nation holds although the second, naive policy says that it may not.
pub(super) async fn leaks(fleet: &Fleet) -> Result<u64, DemoError> {
    let mut leaks = 0;
    for owner in &fleet.members {
        let facts = facts_of(owner).await?;
        for holder in fleet.members.iter().filter(|holder| holder.country != owner.country) {
            let viewer =
                Viewer::Partner { origin: holder.node().me().origin.clone(), class: holder.node().me().identity.class };
            for row in live_of(holder.node(), owner.node()).await? {
                let may = facts.get(&row.index).is_some_and(|facts| oracle::may(facts, &viewer, Purpose::Feed));
                leaks += u64::from(!may);
            }
        }
    }
    Ok(leaks)
}

/// What the owner's own database says of each of its statements: label, and everyone to whom it was ever released.
async fn facts_of(owner: &Member) -> Result<std::collections::HashMap<Index, policy::Facts>, DemoError> {
    let rows = live_of(owner.node(), owner.node()).await?;
    let facts = owner.node().read(move |view| {
        let mut all = std::collections::HashMap::with_capacity(rows.len());
        for row in rows {
            let mut members = Vec::new();
            for (_, set) in view.db.released_sets(row.statement)? {
                members.extend(Vec::from(view.db.set_members(set)?));
            }
            let mut facts = node::query::facts_of_row(view, &row)?;
            let members = MemberSet::new(members).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
            facts.member_set = members.into();
            all.insert(row.index, facts);
        }
        Ok::<_, StoreError>(all)
    });
    facts.await.map_err(broken)
}

/// Proof files that partners make of what they hold of France, written, read and verified with France's key alone.
pub(super) async fn proofs(fleet: &Fleet) -> Result<u64, DemoError> {
    let at = DemoError::at("checking proofs");
    let france = fleet.of("FR")?;
    let keys = journal::note::read_keys(&france.facts.log_key).map_err(|error| at(&error))?;
    let mut checked = 0;
    for member in fleet.members.iter().filter(|member| member.country != france.country) {
        let rows = live_of(member.node(), france.node()).await?;
        let every = (rows.len() / PROOFS_A_NATION).max(1);
        for row in rows.iter().step_by(every).take(PROOFS_A_NATION) {
            let name = EntryRef { country: france.country, epoch: 0, index: row.index };
            let viewer = Actor::machine().viewer(&member.node().me().origin);
            let made = member.node().read(move |view| node::query::entries::proof(view, &viewer, name, false));
            let text = made.await.map_err(|error| at(&error))?.write();
            let read = ProofFile::read(&text).map_err(|error| at(&error))?;
            let proven = read.verify(&keys).map_err(|error| at(&error))?;
            if proven.commitment != row.commitment {
                return Err(at(&format!("{name} proves something else")));
            }
            checked += 1;
        }
    }
    Ok(checked)
}

/// What some nations hold of France, by label.
pub(super) async fn table(fleet: &Fleet) -> Result<Vec<Row>, DemoError> {
    let france = fleet.of("FR")?.node();
    let shown = ["FR", "EE", "DE", "MT", "AT", "PL", "EU"];
    let mut rows = Vec::new();
    for member in fleet.members.iter().filter(|member| shown.contains(&member.country.as_str())) {
        let mut counts = [0; 5];
        for row in live_of(member.node(), france).await? {
            if let Some(count) = Tlp::ALL.iter().position(|label| *label == row.tlp).and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        rows.push(Row { nation: member.country.to_string(), counts });
    }
    Ok(rows)
}
