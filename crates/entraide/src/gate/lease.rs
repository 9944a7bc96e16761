//! Does a mandate let helpers in now? Answered from the nation's signed lease, the entity's own consent and the local
//! clock; whoever asks (sshd's commands, the daemon, a person) gets the same answer.

use journal::mandate::{Lease, WordError, verify_consent};
use journal::note::NoteVerifier;
use model::Timestamp;
use model::extension::Extension;
use model::extension::assistance::{ConsentProof, Mandate, MandatePhase};

use super::config::Config;
use crate::limits;

/// Why nobody comes in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// The node has not said anything yet.
    #[error("there is no lease: the gate's daemon has not reached the node, or does not run")]
    Nothing,
    /// What it said is not a lease of this mandate by this nation.
    #[error("its lease does not hold: {0}")]
    Word(WordError),
    /// The same.
    #[error("its lease is of another nation or mandate")]
    Another,
    /// What the lease carries.
    #[error("the mandate in its lease can't be read: {0}")]
    Body(String),
    /// The node has not said so again.
    #[error("its lease is {0} s old, {most} at most: the node is not reached", most = limits::LEASE_SECONDS)]
    Old(i64),
    /// The clocks differ.
    #[error("its lease was signed {0} s from now: set this machine's clock (NTP)")]
    Early(i64),
    /// The nation says so.
    #[error("the nation says that it does not stand now")]
    Over,
    /// Its time, or its hours.
    #[error("it is not its time")]
    Time,
    /// Another way in.
    #[error("it is not a mandate by ssh")]
    Access,
    /// The entity has not signed.
    #[error("the entity has not consented to it with this gate's key: entraide gate consent")]
    Consent,
    /// The kill switch.
    #[error("the kill switch is thrown: entraide gate allow")]
    Killed,
}

/// What a node said of a mandate, whatever it is worth: who reads it checks its signature, its nation and its id.
///
/// # Errors
/// It is not signed by the nation, or of another mandate.
pub fn opened(config: &Config, id: &str, note: &str) -> Result<(Lease, Mandate, i64), Shut> {
    let (lease, seconds) = Lease::open(note, &config.keys).map_err(Shut::Word)?;
    if lease.origin != config.origin || lease.mandate != id {
        return Err(Shut::Another);
    }
    let mandate = Mandate::read(lease.body.as_bytes()).map_err(|error| Shut::Body(error.to_string()))?;
    if mandate.word() != id {
        return Err(Shut::Another);
    }
    Ok((lease, mandate, i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// May helpers act under a mandate now? `own` is the key with which the entity consents.
///
/// # Errors
/// See [`Shut`]; what is nearest to the entity comes first.
pub fn may_act(config: &Config, own: &NoteVerifier, id: &str, note: &str, now: Timestamp) -> Result<Mandate, Shut> {
    if config.killed(id).exists() || config.killed("all").exists() {
        return Err(Shut::Killed);
    }
    let (lease, mandate, seconds) = opened(config, id, note)?;
    let age = (now.micros() / 1_000_000).saturating_sub(seconds);
    if age > limits::LEASE_SECONDS {
        return Err(Shut::Old(age));
    }
    if age < -limits::LEASE_AHEAD_SECONDS {
        return Err(Shut::Early(-age));
    }
    if !mandate.access.is_enforced() {
        return Err(Shut::Access);
    }
    if !mandate.is_time(now) {
        return Err(Shut::Time);
    }
    if !lease.active || mandate.phase != MandatePhase::Active {
        return Err(Shut::Over);
    }
    let Some(consent) = &mandate.consent else { return Err(Shut::Consent) };
    // What the nation recorded is its own word: it opens no door of the entity's.
    let ConsentProof::Signed { key, note } = &consent.proof else { return Err(Shut::Consent) };
    if *key != own.to_string() {
        return Err(Shut::Consent);
    }
    verify_consent(note, own, id, &mandate.terms(), &consent.by).map_err(|_| Shut::Consent)?;
    Ok(mandate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use ed25519_dalek::SigningKey;
    use journal::mandate::{GATE_NAME, consent_text};
    use journal::note;
    use model::Index;
    use model::extension::Common;
    use model::extension::assistance::{AccessKind, Consent, MandateAction};

    const NOON: i64 = 1_790_000_000 / 86_400 * 86_400 + 43_200;
    const ORIGIN: &str = "entraide/FR/REAL/0123456789abcdef";
    const ID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn own(seed: u8) -> NoteVerifier {
        NoteVerifier::new(GATE_NAME, key(seed).verifying_key()).unwrap()
    }

    fn config(state: &Path) -> Config {
        Config {
            path: "/etc/entraide/gate.toml".into(),
            url: "https://node.example:7442".into(),
            pin: None,
            origin: ORIGIN.parse().unwrap(),
            keys: vec![NoteVerifier::witness(ORIGIN, key(3).verifying_key()).unwrap()],
            state: state.to_owned(),
            group: "entraide-gate".into(),
            mandates: Vec::new(),
        }
    }

    fn mandate() -> Mandate {
        let at = Timestamp::from_seconds(NOON);
        let zero = "00".repeat(32);
        let agreement = serde_json::json!({ "origin": ORIGIN, "index": 14, "commitment": zero });
        let mut mandate = Mandate {
            common: Common {
                id: format!("x-entraide-mandate--{ID}").parse().unwrap(),
                ..Common::new("x-entraide-mandate", [1; 16], &ORIGIN.parse().unwrap(), at).unwrap()
            },
            agreement: serde_json::from_value(agreement).unwrap(),
            phase: MandatePhase::Active,
            entity: "hospital group".into(),
            access: AccessKind::Ssh,
            systems: vec!["mail1".parse().unwrap()],
            actions: vec![MandateAction::Read],
            from: at.plus_seconds(-3_600),
            until: at.plus_seconds(3_600),
            hours: Some("11:30-12:30".parse().unwrap()),
            data_limits: None,
            revokers: "C. D.".into(),
            team: "two analysts".into(),
            consent: None,
            helpers: Vec::new(),
            opened: None,
            closed: None,
            gate: None,
            reason: None,
        };
        consent(&mut mandate, 4);
        mandate
    }

    fn consent(mandate: &mut Mandate, seed: u8) {
        let by = "C. D., CISO".to_owned();
        let note = note::sign(&consent_text(ID, &mandate.terms(), &by), GATE_NAME, &key(seed));
        let proof = ConsentProof::Signed { key: own(seed).to_string(), note };
        mandate.consent = Some(Consent { by, at: mandate.from, proof });
    }

    fn lease(mandate: &Mandate, active: bool, seed: u8, seconds: i64) -> String {
        let body = String::from_utf8(mandate.to_bytes()).unwrap();
        let origin = ORIGIN.parse().unwrap();
        let lease = Lease { origin, mandate: mandate.word().to_owned(), index: Index(7), active, body };
        let text = lease.text();
        format!("{text}\n{}", note::cosign(&text, ORIGIN, u64::try_from(seconds).unwrap(), &key(seed)))
    }

    #[test]
    fn a_mandate_stands_at_its_time_by_its_nation_and_its_entity_and_never_else() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let check = |mandate: &Mandate, note: &str, seconds: i64, expect: Result<(), Shut>| {
            let shut = may_act(&config, &own(4), ID, note, Timestamp::from_seconds(seconds)).map(|read| {
                assert_eq!(read, *mandate);
            });
            assert_eq!(shut, expect, "{seconds}");
        };
        let good = mandate();
        let at = |seconds: i64| lease(&good, true, 3, seconds);
        check(&good, &at(NOON), NOON, Ok(()));
        check(&good, &at(NOON), NOON + 30, Ok(()));
        check(&good, &at(NOON), NOON + 31, Err(Shut::Old(31)));
        check(&good, &at(NOON), NOON - 10, Ok(()));
        check(&good, &at(NOON), NOON - 11, Err(Shut::Early(11)));
        // Before, after, and outside its hours, whatever the node says.
        check(&good, &at(NOON - 3_601), NOON - 3_601, Err(Shut::Time));
        check(&good, &at(NOON + 3_600), NOON + 3_600, Err(Shut::Time));
        check(&good, &at(NOON - 1_801), NOON - 1_801, Err(Shut::Time));
        check(&good, &at(NOON + 1_800), NOON + 1_800, Err(Shut::Time));
        check(&good, &at(NOON + 1_799), NOON + 1_799, Ok(()));
        // The nation takes it back, in one way or the other.
        check(&good, &lease(&good, false, 3, NOON), NOON, Err(Shut::Over));
        let suspended = Mandate { phase: MandatePhase::Suspended, ..mandate() };
        check(&suspended, &lease(&suspended, true, 3, NOON), NOON, Err(Shut::Over));
        // Somebody else signs, or it is another mandate.
        assert!(matches!(
            may_act(&config, &own(4), ID, &lease(&good, true, 5, NOON), Timestamp::from_seconds(NOON)),
            Err(Shut::Word(_))
        ));
        let other = may_act(&config, &own(4), &ID.replace('8', "9"), &at(NOON), Timestamp::from_seconds(NOON));
        assert_eq!(other, Err(Shut::Another));
        let by_telephone = Mandate { access: AccessKind::TelephoneAdvice, ..mandate() };
        check(&by_telephone, &lease(&by_telephone, true, 3, NOON), NOON, Err(Shut::Access));
    }

    #[test]
    fn the_nation_alone_opens_no_door_of_the_entitys() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let shut = |mandate: &Mandate| {
            may_act(&config, &own(4), ID, &lease(mandate, true, 3, NOON), Timestamp::from_seconds(NOON)).unwrap_err()
        };
        let mut recorded = mandate();
        let proof = ConsentProof::Recorded { by: "duty officer".into() };
        recorded.consent = recorded.consent.map(|consent| Consent { proof, ..consent });
        assert_eq!(shut(&recorded), Shut::Consent);
        let mut by_another = mandate();
        consent(&mut by_another, 6);
        assert_eq!(shut(&by_another), Shut::Consent);
        let mut wider = mandate();
        wider.actions.push(MandateAction::Rebuild);
        assert_eq!(shut(&wider), Shut::Consent);
        let mut longer = mandate();
        longer.until = longer.until.plus_seconds(60);
        assert_eq!(shut(&longer), Shut::Consent);
    }

    #[test]
    fn the_kill_switch_comes_before_everything() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        std::fs::create_dir(dir.path().join("killed")).unwrap();
        let good = mandate();
        let ask =
            || may_act(&config, &own(4), ID, &lease(&good, true, 3, NOON), Timestamp::from_seconds(NOON)).map(|_| ());
        assert_eq!(ask(), Ok(()));
        for switch in [ID, "all"] {
            std::fs::write(config.killed(switch), b"").unwrap();
            assert_eq!(ask(), Err(Shut::Killed));
            std::fs::remove_file(config.killed(switch)).unwrap();
        }
        std::fs::write(config.killed("another"), b"").unwrap();
        assert_eq!(ask(), Ok(()));
    }
}
