//! Values to look for, in the one form in which they are kept and compared.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::hashing::{Begin, Key};
use crate::index::Record;
use crate::{address, decode, host, limits, text};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A domain or host name; names below it are found as well.
    Domain = 1,
    /// An address of IPv4.
    Ip4 = 2,
    /// An address of IPv6.
    Ip6 = 3,
    /// A network of IPv4.
    Net4 = 4,
    /// A network of IPv6.
    Net6 = 5,
    /// An URL.
    Url = 6,
    /// MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal.
    Digest = 7,
    /// A mail address.
    Mail = 8,
}

impl Kind {
    /// Its word, as the list of kinds on the command line writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ip4 => "ipv4",
            Self::Ip6 => "ipv6",
            Self::Net4 => "ipv4-network",
            Self::Net6 => "ipv6-network",
            Self::Url => "url",
            Self::Digest => "hash",
            Self::Mail => "email",
        }
    }

    /// From the number in an index.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        const ALL: [Kind; 8] =
            [Kind::Domain, Kind::Ip4, Kind::Ip6, Kind::Net4, Kind::Net6, Kind::Url, Kind::Digest, Kind::Mail];
        ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A value in its one form: small letters where case means nothing, punycode, RFC 5952, the bits of the network alone, an
/// URL without scheme, fragment and a port that goes without saying.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    kind: Kind,
    text: String,
}

/// Why a text is no value to look for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is none of the kinds.
    #[error("`{0}` is no domain, address, network, URL, hash or mail address")]
    Unknown(String),
}

impl Value {
    /// Reads a value of any kind, defanged or not (`hxxp://bad[.]example/x`).
    ///
    /// # Errors
    /// [`ValueError::Unknown`].
    pub fn parse(given: &str) -> Result<Self, ValueError> {
        let plain = decode::refang(given.trim());
        let unknown = || ValueError::Unknown(given.chars().take(80).collect());
        // A network with a length that there is not is a slip of the pen, and no URL.
        if plain.split_once('/').is_some_and(|(before, length)| {
            Self::address(before).is_some() && !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            return Self::network(&plain).ok_or_else(unknown);
        }
        let found = Self::digest(&plain)
            .or_else(|| Self::address(&plain))
            .or_else(|| Self::mail(&plain))
            .or_else(|| host::canonical(&plain).map(|text| Self { kind: Kind::Domain, text }))
            .or_else(|| text::url(&plain).map(|text| Self { kind: Kind::Url, text }));
        found.ok_or_else(unknown)
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its one form.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn digest(plain: &str) -> Option<Self> {
        let text = plain.to_ascii_lowercase();
        (is_digest(text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then_some(Self { kind: Kind::Digest, text })
    }

    fn network(plain: &str) -> Option<Self> {
        let (address, length) = plain.split_once('/')?;
        let length: u8 = length.parse().ok()?;
        if let Some(address) = address::four(address.as_bytes()) {
            return (length <= 32).then(|| Self::network_four(address, length));
        }
        let address = address::six(address.as_bytes())?;
        (length <= 128).then(|| Self::network_six(address, length))
    }

    fn address(plain: &str) -> Option<Self> {
        let plain = plain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(plain);
        address::four(plain.as_bytes()).map(Self::four).or_else(|| address::six(plain.as_bytes()).map(Self::six))
    }

    pub(crate) fn four(address: u32) -> Self {
        Self { kind: Kind::Ip4, text: Ipv4Addr::from_bits(address).to_string() }
    }

    /// An address of IPv4 that is written as one of IPv6 is one of IPv4.
    pub(crate) fn six(address: Ipv6Addr) -> Self {
        match address::mapped(address) {
            Some(four) => Self::four(four),
            None => Self { kind: Kind::Ip6, text: address.to_string() },
        }
    }

    /// The network of so many bits that an address is in; with all of them the address.
    pub(crate) fn network_four(address: u32, length: u8) -> Self {
        if length == 32 {
            return Self::four(address);
        }
        let network = Ipv4Addr::from_bits(address::network_four(address, length));
        Self { kind: Kind::Net4, text: format!("{network}/{length}") }
    }

    /// The same of IPv6.
    pub(crate) fn network_six(address: Ipv6Addr, length: u8) -> Self {
        if length == 128 {
            return Self::six(address);
        }
        let network = Ipv6Addr::from_bits(address::network_six(address.to_bits(), length));
        Self { kind: Kind::Net6, text: format!("{network}/{length}") }
    }

    /// Is it what a record holds?
    pub(crate) fn is(&self, record: &Record) -> bool {
        (self.kind, self.text.as_str()) == (record.kind, record.text.as_str())
    }

    fn mail(plain: &str) -> Option<Self> {
        let (local, name) = plain.rsplit_once('@')?;
        let fits = (1..=limits::LOCAL).contains(&local.len()) && local.bytes().all(text::is_local);
        let name = host::canonical(name)?;
        fits.then(|| Self { kind: Kind::Mail, text: format!("{}@{name}", local.to_ascii_lowercase()) })
    }

    /// Its hash, and that by which a candidate is found in the filter: for a name its last two labels, for an URL and a mail
    /// address those of its host.
    pub(crate) fn hashes(&self, key: &Key) -> Option<Hashes> {
        let text = self.text.as_bytes();
        let one = |hash| Hashes { whole: hash, first: First::Value(hash) };
        Some(match self.kind {
            Kind::Domain => {
                let (whole, two) = host::hashes(key, text)?;
                Hashes { whole, first: First::Value(two) }
            }
            Kind::Ip4 => one(address::hash_four(key, address::four(text)?, 32)),
            Kind::Ip6 => {
                Hashes { whole: address::hash_six(key, address::six(text)?.to_bits(), 128), first: First::Rare }
            }
            Kind::Net4 => {
                let (address, length) = self.parts()?;
                let address = address::four(address.as_bytes())?;
                Hashes { whole: address::hash_four(key, address, length), first: First::Four(address, length) }
            }
            Kind::Net6 => {
                let (address, length) = self.parts()?;
                let address = address::six(address.as_bytes())?.to_bits();
                Hashes { whole: address::hash_six(key, address, length), first: First::Six(length) }
            }
            Kind::Digest => Hashes { whole: digest_hash(key, text), first: First::Rare },
            Kind::Url => {
                let whole = key.finish(key.exact(key.begin(Begin::Url), text));
                let first = match text::host_of(&self.text) {
                    text::Host::Four(address) => First::Value(address::hash_four(key, address, 32)),
                    text::Host::Name(name) => First::Value(host::hashes(key, name.as_bytes())?.1),
                    text::Host::Six => First::Rare,
                };
                Hashes { whole, first }
            }
            Kind::Mail => {
                let whole = key.finish(key.exact(key.begin(Begin::Mail), text));
                let (_, name) = self.text.rsplit_once('@')?;
                Hashes { whole, first: First::Value(host::hashes(key, name.as_bytes())?.1) }
            }
        })
    }

    fn parts(&self) -> Option<(&str, u8)> {
        let (address, length) = self.text.split_once('/')?;
        Some((address, length.parse().ok()?))
    }

    /// The last label of the name that leads to it, if one does.
    pub(crate) fn last_label(&self) -> Option<&str> {
        let name = match self.kind {
            Kind::Domain => self.text.as_str(),
            Kind::Mail => self.text.rsplit_once('@')?.1,
            Kind::Url => match text::host_of(&self.text) {
                text::Host::Name(name) => name,
                text::Host::Four(_) | text::Host::Six => return None,
            },
            Kind::Ip4 | Kind::Ip6 | Kind::Net4 | Kind::Net6 | Kind::Digest => return None,
        };
        name.rsplit('.').next()
    }
}

/// Where a value is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashes {
    /// Its own place.
    pub(crate) whole: u64,
    /// What leads to it.
    pub(crate) first: First,
}

/// What leads to a value while telemetry is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum First {
    /// This hash in the filter.
    Value(u64),
    /// The map of networks of IPv4.
    Four(u32, u8),
    /// The lengths of networks of IPv6.
    Six(u8),
    /// Candidates of its shape are rare: they are looked up at once.
    Rare,
}

/// The hash of a digest in hexadecimal, in any case.
pub(crate) fn digest_hash(key: &Key, text: &[u8]) -> u64 {
    key.finish(key.text(key.begin(Begin::Digest), text, 0, text.len()))
}

/// Letters of a digest: MD5, SHA-1, SHA-256, SHA-384, SHA-512.
pub(crate) const fn is_digest(letters: usize) -> bool {
    matches!(letters, 32 | 40 | 64 | 96 | 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_form() {
        let check = |given: &str, kind: Kind, text: &str| {
            let value = Value::parse(given).unwrap();
            assert_eq!((value.kind(), value.text()), (kind, text), "{given}");
            assert_eq!(Value::parse(value.text()).unwrap(), value, "{given} again");
        };
        check("Evil[.]Example", Kind::Domain, "evil.example");
        check("1.2[.]3.4", Kind::Ip4, "1.2.3.4");
        check("::FFFF:1.2.3.4", Kind::Ip4, "1.2.3.4");
        check("2001:0DB8:0:0:0:0:0:1", Kind::Ip6, "2001:db8::1");
        check("[2001:db8::1]", Kind::Ip6, "2001:db8::1");
        check("10.1.2.3/8", Kind::Net4, "10.0.0.0/8");
        check("10.1.2.3/32", Kind::Ip4, "10.1.2.3");
        check("2001:db8:1::/32", Kind::Net6, "2001:db8::/32");
        check("D41D8CD98F00B204E9800998ECF8427E", Kind::Digest, "d41d8cd98f00b204e9800998ecf8427e");
        check("hxxps://Evil[.]example:443/A?b=c#d", Kind::Url, "evil.example/A?b=c");
        check("http://1.2.3.4:8080/x", Kind::Url, "1.2.3.4:8080/x");
        check("http://evil.example", Kind::Url, "evil.example/");
        check("User@Evil.Example", Kind::Mail, "user@evil.example");
        check("user[at]evil[dot]example", Kind::Mail, "user@evil.example");
        for wrong in ["", "word", "1.2.3", "10.0.0.0/33", "::/129", "a b", "http://", "@evil.example", "http:///x"] {
            assert_eq!(Value::parse(wrong), Err(ValueError::Unknown(wrong.to_owned())));
        }
    }

    #[test]
    fn a_kind_comes_back_from_its_number() {
        for kind in [Kind::Domain, Kind::Mail, Kind::Net6] {
            assert_eq!(Kind::from_number(kind as u8), Some(kind));
        }
        assert_eq!(Kind::from_number(0), None);
    }
}
