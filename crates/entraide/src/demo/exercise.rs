//! An exercise beside reality: two of the nodes open one, say something in it, and what was reality's stays as it was.

use std::sync::Arc;

use http_room::client::join::join;
use http_room::server::api::exercises::{Exercises, NewExercise, Opened};
use http_room::tls::NodeKey;
use model::extension::AudienceKind;
use model::{Country, Realm, Tlp};
use node::Node;
use node::audience::{self, Choice};
use node::partner;
use store::{LogId, StoreError};

use super::DemoError;
use super::fleet::{Fleet, Member};
use super::measure;
use super::report::say;
use super::story::{assert_all, id_of, indicator};
use crate::realm::host::{Host, Serving};

/// The exercise that is played.
const REALM: &str = "EX-DEMO";
/// How far its clock is ahead of the machine's, seconds.
const AHEAD: i64 = 86_400;

/// One nation's part in the exercise.
pub(super) struct Played {
    /// What its people log in with.
    pub(super) access: Opened,
    /// `host:port` of the node's pages, which both realms share.
    pub(super) web: String,
    /// Whose part.
    pub(super) country: Country,
    /// The node of the exercise.
    pub(super) node: Node,
    host: Arc<Host>,
}

impl Played {
    /// Ends the listeners of the exercise; reality's go on.
    pub(super) async fn stop(self) {
        self.host.stop_all().await;
    }
}

/// Plays it, and counts what crossed: nothing may.
pub(super) async fn play(fleet: &Fleet) -> Result<(Vec<Played>, u64), DemoError> {
    let at = DemoError::at("an exercise beside reality");
    let realm = REALM.parse::<Realm>().map_err(|error| at(&error))?;
    let (france, estonia) = (fleet.of("FR")?, fleet.of("EE")?);
    let before = [counted(france.node()).await?, counted(estonia.node()).await?];
    let played = vec![open(france, &realm).await?, open(estonia, &realm).await?];
    let inside = |at: usize| -> Result<(Node, NodeKey), DemoError> {
        let node = played.get(at).and_then(|played| played.host.node_of(&realm));
        node.ok_or_else(|| DemoError::at("an exercise beside reality")(&"it does not run"))
    };
    let ((host, _), (joiner, key)) = (inside(0)?, inside(1)?);
    meet(&host, &joiner, &key).await?;
    let named = host.write(|work| audience::create(work, "Blue cell", AudienceKind::Named, &["EE".to_owned()]));
    named.await.map_err(|error| at(&error))?;
    let object = indicator("exercise", 0);
    let id = id_of(&object)?;
    assert_all(&host, vec![object], Tlp::Amber, &Choice::Named("Blue cell".to_owned())).await?;
    measure::until("Estonia's exercise has the statement", || measure::holds(&joiner, &id)).await?;
    let mut crossed = 0;
    for (member, before) in [france, estonia].into_iter().zip(before) {
        crossed += u64::from(counted(member.node()).await? != before);
        crossed += u64::from(measure::holds(member.node(), &id).await?);
        crossed += foreign(member.node()).await?;
    }
    crossed += foreign(&host).await? + foreign(&joiner).await?;
    say(&format!(
        "• France and Estonia open {REALM} beside reality, a day ahead, and exchange a statement in it: {crossed} crossed"
    ));
    Ok((played, crossed))
}

async fn open(member: &Member, realm: &Realm) -> Result<Played, DemoError> {
    let at = DemoError::at("an exercise opens");
    let clock = member.machine();
    let serving =
        Serving { beside: member.beside.clone(), plain_http: true, host: None, seats: member.opened.seats.clone() };
    let identity = member.node().me().identity.clone();
    let host = Host::new(&member.dir, identity, Arc::clone(&clock), Some(serving));
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let new = NewExercise {
        realm: realm.clone(),
        name: "Demonstration".to_owned(),
        address: Some(free.map_err(|error| at(&error))?.to_string()),
        starts_at: Some(clock.now().plus_seconds(AHEAD)),
    };
    let access = host.open(new).await.map_err(|error| at(&error))?;
    let (node, _) = host.node_of(realm).ok_or_else(|| at(&"it does not run"))?;
    Ok(Played { access, web: member.web.to_string(), country: member.country, node, host })
}

/// By an invitation of the exercise, as two people on the telephone would.
async fn meet(host: &Node, joiner: &Node, key: &NodeKey) -> Result<(), DemoError> {
    let at = DemoError::at("two nations meet in the exercise");
    let invited = host.write(partner::invite).await.map_err(|error| at(&error))?;
    join(joiner, key, &invited.code).await.map_err(|error| at(&error))?;
    for (node, other) in [(host, joiner), (joiner, host)] {
        let name = other.me().origin.to_string();
        node.write(move |work| partner::confirm(work, &name)).await.map_err(|error| at(&error))?;
        node.tell_partners_changed();
    }
    Ok(())
}

/// What a node says and whom it knows.
async fn counted(node: &Node) -> Result<(u64, usize), DemoError> {
    let read = node.read(|view| Ok::<_, StoreError>((view.db.tree(view.me.log)?.size, view.db.partners()?.len())));
    read.await.map_err(|error| DemoError::at("reading a database")(&error))
}

/// Logs of another realm than the node's own in its database.
async fn foreign(node: &Node) -> Result<u64, DemoError> {
    let read = node.read(|view| {
        let logs: Vec<(LogId, model::Origin)> = view.db.logs()?;
        Ok::<_, StoreError>(logs.iter().filter(|(_, origin)| origin.realm() != view.me.realm()).count() as u64)
    });
    read.await.map_err(|error| DemoError::at("reading a database")(&error))
}
