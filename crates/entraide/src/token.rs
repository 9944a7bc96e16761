//! Keys in a PKCS#11 token (OASIS PKCS#11 3.0, CKM_EDDSA over Ed25519): made there, used there, and never read out.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use journal::signer_wire::KeyKind;
use node::ports::SignerError;

use crate::vault::{SecretKey, Token};

/// `PrintableString "edwards25519"` in DER: how a token is told the curve (PKCS#11 3.0 §2.3.5).
const CURVE_NAME: &[u8] = b"\x13\x0cedwards25519";
/// The OID 1.3.101.112 in DER (RFC 8410 §3), for tokens that take no name.
const CURVE_OID: &[u8] = b"\x06\x03\x2b\x65\x70";

struct Hardware {
    session: Arc<Mutex<Session>>,
}

struct TokenKey {
    session: Arc<Mutex<Session>>,
    private: ObjectHandle,
    public: [u8; 32],
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> SignerError {
    SignerError::Io(format!("the token {what}: {error}"))
}

/// Opens the token of this label, with its user's PIN.
///
/// # Errors
/// The module is none, there is no such token, or the PIN is wrong.
pub fn open(module: &Path, label: &str, pin: &str) -> Result<Box<dyn Token>, SignerError> {
    let context = Pkcs11::new(module).map_err(|error| failed("module can't be used", &error))?;
    let args = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    context.initialize(args).map_err(|error| failed("module does not start", &error))?;
    let slots = context.get_slots_with_initialized_token().map_err(|error| failed("can't be found", &error))?;
    let is_it = |slot: &&cryptoki::slot::Slot| {
        context.get_token_info(**slot).is_ok_and(|info| info.label().trim_end() == label)
    };
    let slot = slots.iter().find(is_it).ok_or_else(|| failed("is not there", &format!("no label `{label}`")))?;
    let session = context.open_rw_session(*slot).map_err(|error| failed("does not open", &error))?;
    let pin = AuthPin::new(pin.trim().to_owned().into());
    session.login(UserType::User, Some(&pin)).map_err(|error| failed("refuses the PIN", &error))?;
    Ok(Box::new(Hardware { session: Arc::new(Mutex::new(session)) }))
}

/// What keys of a kind are called in the token.
const fn label(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Log => "entraide log",
        KeyKind::Witness => "entraide witness",
        KeyKind::Wrapping => "entraide wrapping",
        KeyKind::Cursor => "entraide cursor",
    }
}

fn named(kind: KeyKind, class: ObjectClass) -> Vec<Attribute> {
    vec![Attribute::Class(class), Attribute::KeyType(KeyType::EC_EDWARDS), Attribute::Label(label(kind).into())]
}

/// The 32 bytes of a point, which tokens give bare or as a DER OCTET STRING (PKCS#11 3.0 §2.3.5).
fn point(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.strip_prefix(b"\x04\x20").unwrap_or(bytes).try_into().ok()
}

fn attributes(session: &Session, of: ObjectHandle, kind: AttributeType) -> Result<Option<Attribute>, SignerError> {
    let found = session.get_attributes(of, &[kind]).map_err(|error| failed("does not answer", &error))?;
    Ok(found.into_iter().next())
}

impl Token for Hardware {
    fn keys(&self, kind: KeyKind) -> Result<Vec<Arc<dyn SecretKey>>, SignerError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |template: &[Attribute]| {
            session.find_objects(template).map_err(|error| failed("does not look for keys", &error))
        };
        let mut keys: Vec<Arc<dyn SecretKey>> = Vec::new();
        for public in find(&named(kind, ObjectClass::PUBLIC_KEY))? {
            let Some(Attribute::EcPoint(bytes)) = attributes(&session, public, AttributeType::EcPoint)? else {
                continue;
            };
            let Some(Attribute::Id(id)) = attributes(&session, public, AttributeType::Id)? else { continue };
            let mut template = named(kind, ObjectClass::PRIVATE_KEY);
            template.push(Attribute::Id(id));
            if let (Some(private), Some(public)) = (find(&template)?.first().copied(), point(&bytes)) {
                keys.push(Arc::new(TokenKey { session: Arc::clone(&self.session), private, public }));
            }
        }
        Ok(keys)
    }

    fn make(&self, kind: KeyKind) -> Result<[u8; 32], SignerError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        // An id of its own tells the two halves of one key from those of another.
        let id = session.generate_random_vec(16).map_err(|error| failed("gives no randomness", &error))?;
        let name = Attribute::Label(label(kind).into());
        let both = [name, Attribute::Id(id), Attribute::Token(true)];
        let private = [
            &both[..],
            &[
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ],
        ]
        .concat();
        let make = |curve: &[u8]| {
            let public = [&both[..], &[Attribute::Verify(true), Attribute::EcParams(curve.to_vec())]].concat();
            session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)
        };
        let (public, _) = make(CURVE_NAME)
            .or_else(|_| make(CURVE_OID))
            .map_err(|error| failed("does not make an Ed25519 key", &error))?;
        match attributes(&session, public, AttributeType::EcPoint)? {
            Some(Attribute::EcPoint(bytes)) => point(&bytes).ok_or_else(|| failed("made a key", &"it is not Ed25519")),
            _ => Err(failed("made a key", &"it has no point")),
        }
    }

    fn destroy(&self, kind: KeyKind, public: &[u8; 32]) -> Result<(), SignerError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |template: &[Attribute]| {
            session.find_objects(template).map_err(|error| failed("does not look for keys", &error))
        };
        for half in find(&named(kind, ObjectClass::PUBLIC_KEY))? {
            let Some(Attribute::EcPoint(bytes)) = attributes(&session, half, AttributeType::EcPoint)? else { continue };
            if point(&bytes) != Some(*public) {
                continue;
            }
            if let Some(Attribute::Id(id)) = attributes(&session, half, AttributeType::Id)? {
                let mut template = named(kind, ObjectClass::PRIVATE_KEY);
                template.push(Attribute::Id(id));
                for private in find(&template)? {
                    session.destroy_object(private).map_err(|error| failed("does not destroy a key", &error))?;
                }
            }
            session.destroy_object(half).map_err(|error| failed("does not destroy a key", &error))?;
        }
        Ok(())
    }
}

impl SecretKey for TokenKey {
    fn public(&self) -> [u8; 32] {
        self.public
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signature =
            session.sign(&mechanism, self.private, message).map_err(|error| failed("does not sign", &error))?;
        <[u8; 64]>::try_from(signature.as_slice()).map_err(|_| failed("signed", &"not with Ed25519"))
    }
}
