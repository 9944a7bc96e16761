//! A new node: keys, root key, signed identity, database and the first administrator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_room::tls::NodeKey;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use model::{Country, Desk, Origin, PartnerClass, Realm, Role, RootId};
use node::WriteError;
use node::account::{self, AccountError, Draw, NewUser};
use node::ports::Clock;
use serde::Serialize;

use crate::keys::{KeysError, Kind, Layout, NewKeys, note_key, sync_dir, write_private};
use crate::machine::{MachineRandom, NoRandomness};
use crate::open::{OpenError, open};
use crate::signer;

/// The login of the first administrator.
pub const FIRST_LOGIN: &str = "admin";
/// Where partners reach a node that was not told otherwise: nowhere but on its own machine.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:7443";

/// What a new node shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose node.
    pub country: Country,
    /// Reality, or one exercise.
    pub realm: Realm,
    /// The authority's name.
    pub name: String,
    /// What it is to others.
    pub class: PartnerClass,
    /// `host:port` at which partners reach its federation listener.
    pub address: String,
}

/// Why a node was not made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one.
    #[error("there is a node in `{0}` already: choose another directory")]
    Exists(String),
    /// An earlier attempt was interrupted.
    #[error("an earlier `init` of `{0}` did not finish: delete what is in it, then try again")]
    Unfinished(String),
    /// Name, class or address.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// The disk.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The TLS key.
    #[error(transparent)]
    Tls(#[from] http_room::tls::KeyError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The new node does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The clock of an exercise.
    #[error(transparent)]
    Record(#[from] crate::realm::RecordError),
    /// The first account.
    #[error(transparent)]
    Account(#[from] WriteError<AccountError>),
}

/// What is said once, and never again.
#[derive(Serialize)]
pub struct Initialised {
    /// The name of the log.
    pub origin: Origin,
    /// SHA-256 of the root key: what people read to each other over the telephone.
    pub fingerprint: String,
    /// The first administrator's login.
    pub login: String,
    /// Its password.
    pub password: String,
    /// The secret of its one-time codes, in base32.
    pub totp_secret: String,
    /// The same as an `otpauth:` address.
    pub totp_uri: String,
    /// The root key's file, to be taken offline now.
    pub root_key: PathBuf,
    /// The log's public key, for whoever checks proofs.
    pub log_key: String,
    /// SHA-256 of the TLS key (SPKI): what `--pin` of the command line is compared with.
    pub tls_pin: String,
    /// Where partners reach it.
    pub address: String,
    /// The identity as the root key signed it.
    #[serde(skip)]
    pub signed: SignedIdentity,
}

/// The class that a country has unless it says otherwise.
#[must_use]
pub fn default_class(country: Country) -> PartnerClass {
    match country.as_str() {
        "EU" => PartnerClass::EuBody,
        "IS" | "LI" | "NO" => PartnerClass::Eea,
        _ if country.is_member_state() => PartnerClass::EuState,
        _ => PartnerClass::ThirdCountry,
    }
}

/// Keys that belong together, signed by the root key.
pub struct Made {
    /// The TLS key.
    pub tls: NodeKey,
    /// Who the node is.
    pub identity: Identity,
    /// The same, signed.
    pub signed: SignedIdentity,
}

/// Signs the first identity of new keys; checked as a partner would check it.
///
/// # Errors
/// A partner would refuse the name, the class or the address.
pub fn identity(keys: &NewKeys, request: &Request, clock: &dyn Clock) -> Result<Made, InitError> {
    let root_key = keys.root.verifying_key().to_bytes();
    let origin = Origin::new(request.country, request.realm.clone(), RootId::of_key(&root_key));
    let tls = NodeKey::generate(&origin)?;
    let identity = Identity {
        origin,
        name: request.name.clone(),
        version: 1,
        root_key,
        log_key: keys.public(Kind::Log),
        tls_pins: vec![Pin::new(tls.pin())],
        witness_key: keys.public(Kind::Witness),
        mandate_key: keys.public(Kind::Mandate),
        address: request.address.clone(),
        class: request.class,
        wire: journal::wire::WIRE_VERSIONS.to_vec(),
        issued: clock.now(),
        past: journal::log_keys::Past::default(),
        succeeds: None,
    };
    let signed = identity::sign(&identity, &keys.root);
    identity::verify(&signed)?;
    Ok(Made { tls, identity, signed })
}

/// Makes a node in a directory, which is made too if it is not there.
///
/// # Errors
/// There is a node already; the request would be refused by partners; the disk.
pub async fn init(dir: &Path, request: &Request, clock: Arc<dyn Clock>) -> Result<Initialised, InitError> {
    let layout = Layout::new(dir);
    refuse_existing(&layout)?;
    let mut random = MachineRandom::new()?;
    let keys = NewKeys::draw(&mut random);
    let issued = crate::realm::clock_of(&layout, &request.realm, Arc::clone(&clock))?;
    let made = identity(&keys, request, issued.as_ref())?;
    layout.begin()?;
    let initialised = make(&layout, keys, made, clock, &mut random).await;
    if initialised.is_err() {
        layout.abandon();
    }
    initialised
}

async fn make(
    layout: &Layout,
    keys: NewKeys,
    made: Made,
    clock: Arc<dyn Clock>,
    random: &mut MachineRandom,
) -> Result<Initialised, InitError> {
    let log_key = note_key(&made.identity).map(|key| key.to_string()).unwrap_or_default();
    signer::create(layout, &made.identity.origin)?;
    let root_key = keys.write_root(layout, &made.identity)?;
    write_private(&layout.log_public_key(), format!("{log_key}\n").as_bytes())?;
    keys.write(layout, &made.tls, &made.signed)?;
    sync_dir(layout.dir())?;
    drop(keys);
    let draw = Draw::new(random);
    let making = layout.in_the_making();
    let enrolment = first_administrator(&making, clock, draw.password.clone(), draw.salt).await?;
    layout.finish()?;
    Ok(Initialised {
        fingerprint: grouped(&made.identity.root_hash()),
        origin: made.identity.origin,
        login: FIRST_LOGIN.to_owned(),
        password: draw.password,
        totp_secret: enrolment.secret,
        totp_uri: enrolment.uri,
        root_key,
        log_key,
        tls_pin: model::bytes::hex(&made.tls.pin()),
        address: made.identity.address,
        signed: made.signed,
    })
}

fn refuse_existing(layout: &Layout) -> Result<(), InitError> {
    let shown = || layout.dir().display().to_string();
    if layout.unfinished().symlink_metadata().is_ok() {
        return Ok(());
    }
    if layout.is_node() && layout.database().exists() {
        return Err(InitError::Exists(shown()));
    }
    let ours = [layout.keys(), layout.signer(), layout.database(), layout.log_public_key()];
    if ours.iter().any(|path| path.symlink_metadata().is_ok()) {
        return Err(InitError::Unfinished(shown()));
    }
    Ok(())
}

async fn first_administrator(
    layout: &Layout,
    clock: Arc<dyn Clock>,
    password: String,
    salt: [u8; account::SALT_BYTES],
) -> Result<account::Enrolment, InitError> {
    let refused = |error| InitError::Account(WriteError::Refused(error));
    // Hashing takes tens of milliseconds on purpose, so it is done where blocking is allowed.
    let hashed = tokio::task::spawn_blocking(move || account::hash_password(password.as_bytes(), &salt)).await;
    let password_hash = hashed.map_err(|error| refused(AccountError::Hash(error.to_string())))?.map_err(refused)?;
    let new = NewUser {
        login: FIRST_LOGIN.to_owned(),
        name: "First administrator".to_owned(),
        desk: Desk::Csirt,
        roles: vec![Role::DutyOfficer, Role::Administrator, Role::Analyst, Role::Liaison],
        password_hash,
    };
    let opened = open(layout, clock)?;
    let enrolment = opened.node.write(move |work| account::create_user(work, &new)).await;
    opened.close().await;
    Ok(enrolment?)
}

/// Hexadecimal in groups of four, to be read aloud.
fn grouped(bytes: &[u8]) -> String {
    let groups: Vec<String> = bytes.chunks(2).map(model::bytes::hex).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineClock;

    fn request(country: &str, name: &str, address: &str) -> Request {
        let country: Country = country.parse().unwrap();
        Request {
            country,
            realm: Realm::Real,
            name: name.to_owned(),
            class: default_class(country),
            address: address.to_owned(),
        }
    }

    #[test]
    fn what_a_partner_would_refuse_is_refused_before_anything_is_written() {
        let keys = NewKeys::draw(&mut MachineRandom::new().unwrap());
        let check = |asked: Request, good: bool| {
            assert_eq!(identity(&keys, &asked, &MachineClock).is_ok(), good, "{asked:?}");
        };
        check(request("FR", "CERT-FR", "fr.example:7443"), true);
        check(request("EU", "CERT-EU", "eu.example:7443"), true);
        check(request("NO", "NorCERT", "no.example:7443"), true);
        check(request("FR", "", "fr.example:7443"), false);
        check(request("FR", "CERT-FR", "fr.example"), false);
        check(Request { class: PartnerClass::EuState, ..request("CH", "NCSC", "ch.example:7443") }, false);
    }

    #[tokio::test]
    async fn a_node_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let asked = request("FR", "CERT-FR", DEFAULT_ADDRESS);
        let made = init(dir.path(), &asked, Arc::new(MachineClock)).await.unwrap();
        assert_eq!(made.origin.country().as_str(), "FR");
        assert!(made.root_key.is_file() && made.password.len() == 20);
        let again = init(dir.path(), &asked, Arc::new(MachineClock)).await.map(|_| ()).unwrap_err();
        assert!(matches!(again, InitError::Exists(_)), "{again}");
        std::fs::remove_file(Layout::new(dir.path()).identity()).unwrap();
        let again = init(dir.path(), &asked, Arc::new(MachineClock)).await.map(|_| ()).unwrap_err();
        assert!(matches!(again, InitError::Unfinished(_)), "{again}");
    }

    #[tokio::test]
    async fn what_an_attempt_left_is_no_node_and_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (layout, asked) = (Layout::new(dir.path()), request("FR", "CERT-FR", DEFAULT_ADDRESS));
        let first = init(dir.path(), &asked, Arc::new(MachineClock)).await.unwrap();
        std::fs::write(layout.unfinished(), "").unwrap();
        assert!(!layout.is_node() && layout.in_the_making().is_node());
        let opened = open(&layout, Arc::new(MachineClock)).map(|_| ()).unwrap_err();
        assert!(opened.to_string().contains("there is no node"), "{opened}");
        let second = init(dir.path(), &asked, Arc::new(MachineClock)).await.unwrap();
        assert!(first.origin != second.origin && !first.root_key.exists() && layout.is_node());
    }

    #[test]
    fn fingerprints_are_read_in_groups() {
        assert_eq!(grouped(&[0, 1, 0xab, 0xcd, 0xef]), "0001 abcd ef");
    }
}
