//! What the feed serves is looked at once more while it is served: a release row that should not be there opens nothing,
//! a cursor counts for its caller and its log alone, and whoever is cut gets nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use journal::cursor::{self, FeedCursor};
use journal::wire::{FeedRequest, ReleaseKind};
use model::extension::AudienceKind;
use model::{Index, Lane, MediaType, MemberSet, Tlp};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::feed::{self, Answer, FeedError};
use store::StoreError;
use world::{Nation, peer};

const BODY: &str = r#"{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-000000000001",
"created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","name":"beacon",
"pattern":"[domain-name:value = 'c2.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}"#;

async fn page(at: &Nation, to: &'static str, request: FeedRequest) -> Result<Answer, FeedError> {
    at.node.read(move |view| feed::page(view, &node::partner::find(view.db, to).unwrap(), &request)).await
}

#[tokio::test]
async fn a_release_row_that_should_not_be_there_opens_nothing() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    let objects = vec![RawObject { media: MediaType::Stix, bytes: BODY.as_bytes().to_vec() }];
    let command = Assert { objects, tlp: Tlp::Red, pap: None, audience: Choice::Default, walled: None };
    fr.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    // As a fault of the program, or a hand in the database, would leave it.
    let estonia = ee.node.me().origin.clone();
    let slip = move |work: &mut node::Work<'_, '_>| {
        let red = work.tx.statement_at(work.me.log, Index(0))?.unwrap();
        let set = work.tx.intern_set(&MemberSet::new([estonia]).unwrap())?;
        work.tx.release(ReleaseKind::Open.code(), Lane::Intelligence, red.id, set, work.now).map(|_| ())
    };
    fr.node.write::<_, StoreError, _>(slip).await.unwrap();
    let answer = page(&fr, "EE", FeedRequest::default()).await.unwrap();
    assert_eq!((answer.page.commitments.len(), answer.page.items), (1, Vec::new()), "RED is opened to no node");
}

#[tokio::test]
async fn a_cursor_of_another_log_of_the_same_nation_is_refused() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    fr.node.write(|work| audience::create(work, "a", AudienceKind::Named, &["EE".to_owned()])).await.unwrap();
    for (epoch, good) in [(0, true), (1, false)] {
        let key = fr.node.signer().cursor_key();
        let sealed = cursor::seal(&key, &FeedCursor { epoch, seq: 0 }, &ee.node.me().origin, Lane::Workflow);
        let answer = page(&fr, "EE", FeedRequest { workflow: Some(sealed), ..FeedRequest::default() }).await;
        assert_eq!(answer.is_ok(), good, "{epoch}");
        assert!(good || matches!(answer, Err(FeedError::Cursor)));
    }
}

#[tokio::test]
async fn the_feed_is_for_confirmed_partners_and_those_that_are_held() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    let known = || fr.node.read(|view| feed::caller(view, &[2; 32]));
    assert!(known().await.is_ok());
    fr.node.write(|work| node::partner::hold(work, "EE", "to be looked at")).await.unwrap();
    assert!(known().await.is_ok(), "whom we hold still hears us");
    fr.node.write(|work| node::partner::cut(work, "EE", "enough")).await.unwrap();
    assert!(matches!(known().await, Err(FeedError::Stranger)));
}
