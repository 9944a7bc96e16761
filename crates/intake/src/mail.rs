//! Mail from outside (RFC 5322, RFC 2045): who claims to have sent it, what it says in plain text, the files at it, or what is
//! to be decrypted first. Nothing of HTML is read, and nothing is believed.

use mail_parser::{Message, MessageParser, MimeHeaders};

use crate::limits;

/// A mail that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// From whom it claims to be: an address; empty if it says none.
    pub from: String,
    /// Its subject, in one line.
    pub subject: String,
    /// What it holds.
    pub content: Content,
}

/// What a mail holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text and files in the clear.
    Plain {
        /// The plain text; empty if it has none.
        text: String,
        /// The files at it.
        files: Vec<Vec<u8>>,
    },
    /// Something for PGP: encrypted, or signed in the clear (RFC 9580 §7, RFC 3156).
    Pgp(Vec<u8>),
    /// Something for S/MIME: encrypted or signed (RFC 8551 §3).
    Smime(Vec<u8>),
}

/// Why a mail was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Too large.
    #[error("it is larger than {} bytes", limits::MAIL_BYTES)]
    Size,
    /// Not a mail.
    #[error("it is not a mail")]
    Shape,
}

/// Reads a mail, or the decrypted inside of one.
///
/// # Errors
/// Too large, or no mail.
pub fn read(bytes: &[u8]) -> Result<Mail, MailError> {
    if bytes.len() > limits::MAIL_BYTES {
        return Err(MailError::Size);
    }
    let message = MessageParser::default().parse(bytes).ok_or(MailError::Shape)?;
    let from = message.from().and_then(|from| from.first()).and_then(|one| one.address());
    let content = content(&message);
    Ok(Mail {
        from: line(from.unwrap_or_default(), limits::MAIL_HEADER_BYTES),
        subject: line(message.subject().unwrap_or_default(), limits::MAIL_HEADER_BYTES),
        content,
    })
}

fn content(message: &Message<'_>) -> Content {
    let is_smime = |kind: &mail_parser::ContentType<'_>| {
        kind.ctype().eq_ignore_ascii_case("application")
            && kind
                .subtype()
                .is_some_and(|sub| sub.eq_ignore_ascii_case("pkcs7-mime") || sub.eq_ignore_ascii_case("x-pkcs7-mime"))
    };
    for part in message.parts.iter().take(limits::MAIL_PARTS) {
        let bytes = part.contents();
        if part.content_type().is_some_and(is_smime) {
            return Content::Smime(bytes.to_vec());
        }
        if let Some(armoured) = armoured(bytes) {
            return Content::Pgp(armoured.to_vec());
        }
    }
    let text = message.body_text(0).unwrap_or_default();
    let files = message.attachments().take(limits::MAIL_PARTS).map(|part| part.contents().to_vec());
    Content::Plain { text: plain(&text), files: files.collect() }
}

/// What begins as OpenPGP's armour does, without white space before it.
fn armoured(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.trim_ascii_start();
    let begins = [&b"-----BEGIN PGP MESSAGE-----"[..], b"-----BEGIN PGP SIGNED MESSAGE-----"];
    begins.iter().any(|begin| bytes.starts_with(begin)).then_some(bytes)
}

/// Plain text without control characters but line ends, cut at its limit.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|letter| *letter == '\n' || !letter.is_control());
    cut(letters, limits::MAIL_TEXT_BYTES)
}

fn line(text: &str, most: usize) -> String {
    cut(text.chars().filter(|letter| !letter.is_control()), most)
}

fn cut(letters: impl Iterator<Item = char>, most: usize) -> String {
    let mut out = String::new();
    for letter in letters {
        if out.len() + letter.len_utf8() > most {
            break;
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mails_are_read_by_what_is_to_be_done_with_them() {
        let check = |text: &str, expect: fn(&Content) -> bool| {
            let mail = read(text.replace('\n', "\r\n").as_bytes()).unwrap();
            assert!(expect(&mail.content), "{mail:?}");
            mail
        };
        let mail = check(
            "From: \"A\" <cert@md.example>\nSubject: Re: =?utf-8?q?caf=C3=A9?=\n\nyes, call us\n",
            |content| matches!(content, Content::Plain { text, files } if text.contains("yes, call us") && files.is_empty()),
        );
        assert_eq!((mail.from.as_str(), mail.subject.as_str()), ("cert@md.example", "Re: café"));
        check("From: a@b.example\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n", |content| {
            matches!(content, Content::Pgp(_))
        });
        let encrypted = "From: a@b.example\nContent-Type: multipart/encrypted; \
            protocol=\"application/pgp-encrypted\"; boundary=\"x\"\n\n\
            --x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--x\nContent-Type: application/octet-stream\n\n\
            -----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n\n--x--\n";
        check(
            encrypted,
            |content| matches!(content, Content::Pgp(bytes) if bytes.starts_with(b"-----BEGIN PGP MESSAGE")),
        );
        let smime = "From: a@b.example\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\
            Content-Transfer-Encoding: base64\n\nAQID\n";
        check(smime, |content| *content == Content::Smime(vec![1, 2, 3]));
        let file = "From: a@b.example\nContent-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: text/plain\n\nhello\n\
            --x\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"f\"\n\
            Content-Transfer-Encoding: base64\n\nAQID\n--x--\n";
        check(file, |content| matches!(content, Content::Plain { files, .. } if *files == [vec![1, 2, 3]]));
        assert_eq!(read(&vec![b'a'; limits::MAIL_BYTES + 1]), Err(MailError::Size));
        let html = check("From: a@b.example\nContent-Type: text/html\n\n<script>x()</script><p>yes</p>\n", |content| {
            matches!(content, Content::Plain { .. })
        });
        assert!(!format!("{html:?}").contains("<script>"), "{html:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_nothing_grows(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            holds(&bytes);
        }

        #[test]
        fn no_mail_panics(head in "[ -~\n]{0,200}", body in "\\PC{0,300}") {
            holds(format!("Content-Type: multipart/mixed; boundary=x\n{head}\n\n--x\n{body}\n--x--").as_bytes());
        }
    }

    fn holds(bytes: &[u8]) {
        if let Ok(mail) = read(bytes) {
            assert!(mail.from.len() <= limits::MAIL_HEADER_BYTES && mail.subject.len() <= limits::MAIL_HEADER_BYTES);
            assert!(!mail.subject.contains('\n'));
        }
    }
}
