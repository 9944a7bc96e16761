//! `gpg`: reading a partner's public key, and encrypting to it.

use node::ports::{CipherError, OpenedMail, Signed};

use super::program::{Home, Ran, run};
use super::refused;
use crate::limits;

/// What each call begins with: no questions, no key servers, nothing of the machine's configuration.
const ALWAYS: [&str; 6] =
    ["--batch", "--no-tty", "--no-options", "--no-auto-key-locate", "--disable-dirmngr", "--quiet"];

pub(super) async fn gpg(home: &Home, arguments: &[&str], input: &[u8]) -> Result<Ran, CipherError> {
    run(home, "gpg", &[&ALWAYS[..], arguments].concat(), input).await
}

/// The fingerprint of the one public key in `key`, to which it can be encrypted now.
pub(super) async fn key(key: &[u8]) -> Result<String, CipherError> {
    if key.len() > limits::KEY_BYTES {
        return Err(refused(format!("the key is larger than {} bytes: export it minimal", limits::KEY_BYTES)));
    }
    let home = Home::new()?;
    let show = ["--no-autostart", "--with-colons", "--import-options", "show-only", "--import"];
    let ran = gpg(&home, &show, key).await?;
    let text = String::from_utf8_lossy(&ran.out);
    if !ran.good {
        return Err(refused("this is not a PGP public key: export it with `gpg --armor --export ADDRESS`"));
    }
    read(&text)
}

/// Reads gpg's listing (GnuPG doc/DETAILS): one `pub` line, then its `fpr`.
fn read(listing: &str) -> Result<String, CipherError> {
    let lines: Vec<Vec<&str>> = listing.lines().map(|line| line.split(':').collect()).collect();
    if lines.iter().any(|line| line.first().is_some_and(|kind| matches!(*kind, "sec" | "ssb"))) {
        return Err(refused("this is a secret key, and must stay with its owner: export the public one"));
    }
    let mut keys = lines.iter().enumerate().filter(|(_, line)| line.first() == Some(&"pub"));
    let (Some((at, primary)), None) = (keys.next(), keys.next()) else {
        return Err(refused("give exactly one public key"));
    };
    match primary.get(1).copied().unwrap_or_default() {
        "e" => return Err(refused("the key has expired: ask its owner for the one that is in use")),
        "r" => return Err(refused("the key was revoked by its owner: ask for the one that is in use")),
        "i" | "d" => return Err(refused("the key is not valid")),
        _ => {}
    }
    // Capital letters say what the key can do as a whole (field 12).
    if !primary.get(11).is_some_and(|can| can.contains('E')) {
        return Err(refused("nothing can be encrypted to this key: ask its owner for one with which mail is read"));
    }
    let fingerprint = lines.iter().skip(at).find(|line| line.first() == Some(&"fpr")).and_then(|line| line.get(9));
    let fingerprint =
        fingerprint.filter(|hex| matches!(hex.len(), 40 | 64) && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    fingerprint.map(|hex| (*hex).to_owned()).ok_or_else(|| refused("the key has no fingerprint"))
}

/// Encrypts to one key.
pub(super) async fn encrypt(key: &[u8], plain: &[u8]) -> Result<Vec<u8>, CipherError> {
    let home = Home::new()?;
    let fingerprint = self::key(key).await?;
    if !gpg(&home, &["--no-autostart", "--import"], key).await?.good {
        return Err(refused("the partner's key could not be taken up"));
    }
    // It was compared by people when the partner was confirmed: that is the trust that counts.
    let to = ["--no-autostart", "--trust-model", "always", "--armor", "--recipient", &fingerprint, "--encrypt"];
    let ran = gpg(&home, &to, plain).await?;
    if ran.good && ran.out.starts_with(b"-----BEGIN PGP MESSAGE-----") {
        Ok(ran.out)
    } else {
        Err(refused("gpg could not encrypt to the partner's key: look whether it has expired"))
    }
}

/// Decrypts with the mailbox's own key, and says which of the partners' keys has signed it.
pub(super) async fn open(own: Option<&[u8]>, sealed: &[u8], keys: &[Vec<u8>]) -> Result<OpenedMail, CipherError> {
    let home = Home::new()?;
    let done = opened(&home, own, sealed, keys).await;
    // Secret keys are handled by an agent, which would outlive the directory.
    let _ = run(&home, "gpgconf", &["--kill", "gpg-agent"], &[]).await;
    done
}

async fn opened(home: &Home, own: Option<&[u8]>, sealed: &[u8], keys: &[Vec<u8>]) -> Result<OpenedMail, CipherError> {
    for key in keys {
        // One that is no key any more hinders no other.
        gpg(home, &["--no-autostart", "--import"], key).await?;
    }
    if let Some(own) = own
        && !gpg(home, &["--pinentry-mode", "loopback", "--import"], own).await?.good
    {
        return Err(refused("the mailbox's own PGP key could not be taken up: it has no passphrase, and is armoured"));
    }
    let most = limits::CIPHER_BYTES.to_string();
    let arguments =
        ["--status-fd", "1", "--trust-model", "always", "--max-output", &most, "--output", "plain", "--decrypt"];
    let ran = gpg(home, &arguments, sealed).await?;
    let status = String::from_utf8_lossy(&ran.out);
    let (encrypted, signed) = status_of(&status);
    let plain = std::fs::read(home.path().join("plain"))
        .map_err(|_| refused("it is not encrypted to the mailbox's key, or is damaged"))?;
    // A message whose integrity is not proven is nobody's word.
    if encrypted && !status.lines().any(|line| line == "[GNUPG:] GOODMDC") {
        return Err(refused("it was changed on the way"));
    }
    Ok(OpenedMail { plain, encrypted, signed })
}

/// Reads gpg's status lines (GnuPG doc/DETAILS).
fn status_of(text: &str) -> (bool, Signed) {
    let lines: Vec<Vec<&str>> =
        text.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")).map(|line| line.split(' ').collect()).collect();
    let has = |word: &str| lines.iter().any(|line| line.first() == Some(&word));
    let encrypted = has("DECRYPTION_OKAY");
    let mut valid = lines.iter().filter(|line| line.first() == Some(&"VALIDSIG"));
    let bad = ["BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"].into_iter().any(has);
    let signed = match (bad, valid.next(), valid.next()) {
        (true, _, _) | (false, Some(_), Some(_)) => Signed::Bad,
        // The last word is the primary key's fingerprint: a subkey may have signed.
        (false, Some(line), None) if has("GOODSIG") => match line.get(10).or(line.get(1)) {
            Some(fingerprint) => Signed::By((*fingerprint).to_owned()),
            None => Signed::Bad,
        },
        (false, Some(_), None) => Signed::Bad,
        (false, None, _) if has("ERRSIG") => Signed::Unknown,
        (false, None, _) => Signed::Nothing,
    };
    (encrypted, signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_if_one_good_key_made_it() {
        let print = "0123456789ABCDEF0123456789ABCDEF01234567";
        let valid = format!("[GNUPG:] VALIDSIG AAAA 2026-11-25 1 0 4 0 22 8 00 {print}\n");
        let good = format!("[GNUPG:] GOODSIG AAAA somebody\n{valid}");
        let check = |text: &str, expect: Signed| assert_eq!(status_of(text).1, expect, "{text}");
        check(&good, Signed::By(print.to_owned()));
        check("", Signed::Nothing);
        check("[GNUPG:] ERRSIG AAAA 22 8 00 1 9\n[GNUPG:] NO_PUBKEY AAAA\n", Signed::Unknown);
        check("[GNUPG:] BADSIG AAAA somebody\n", Signed::Bad);
        check(&format!("{good}[GNUPG:] BADSIG BBBB another\n"), Signed::Bad);
        check(&good.repeat(2), Signed::Bad);
        check(&good.replace("GOODSIG", "EXPKEYSIG"), Signed::Bad);
        check(&good.replace("GOODSIG", "REVKEYSIG"), Signed::Bad);
        check(&valid, Signed::Bad);
        // What is written in a mail is no status line.
        check(&good.replace("[GNUPG:] ", ""), Signed::Nothing);
        assert!(status_of("[GNUPG:] DECRYPTION_OKAY\n").0);
    }

    #[test]
    fn a_listing_names_one_key_to_which_it_can_be_encrypted() {
        let print = "0123456789ABCDEF0123456789ABCDEF01234567";
        let listing = |kind: &str, validity: &str, can: &str| {
            format!(
                "{kind}:{validity}:255:22:AAAA:1:::-:::{can}:::::ed25519::0:\nfpr:::::::::{print}:\nuid:-::::1::X::a:\n"
            )
        };
        let check = |text: &str, says: &str| match read(text) {
            Ok(found) => assert_eq!((found.as_str(), says), (print, "")),
            Err(error) => assert!(!says.is_empty() && error.reason.contains(says), "{error}"),
        };
        check(&listing("pub", "-", "scESC"), "");
        check(&listing("pub", "e", "scESC"), "expired");
        check(&listing("pub", "r", "scESC"), "revoked");
        check(&listing("pub", "-", "scSC"), "nothing can be encrypted");
        check(&listing("sec", "-", "scESC"), "secret key");
        check(&listing("pub", "-", "scESC").repeat(2), "exactly one");
        check("", "exactly one");
    }
}
