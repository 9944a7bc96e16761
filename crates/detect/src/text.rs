//! URLs and mail addresses in text.

use crate::{address, host, limits};

/// May this letter stand in the part of a mail address before the `@`, without quotes (RFC 5322 §3.2.3)?
pub(crate) fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

/// Does an URL go on with this letter in a line of telemetry? Letters beyond ASCII do: some write them as they are.
pub(crate) fn goes_on(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'^' | b'|')
}

/// The host that an URL in its one form leads to.
pub(crate) enum Host<'a> {
    Name(&'a str),
    Four(u32),
    Six,
}

/// The host of an URL in its one form.
pub(crate) fn host_of(url: &str) -> Host<'_> {
    if url.starts_with('[') {
        return Host::Six;
    }
    let name = url.split(['/', ':', '?']).next().unwrap_or_default();
    address::four(name.as_bytes()).map_or(Host::Name(name), Host::Four)
}

/// An URL in its one form: host in its own one form, a port other than 80 and 443, path (at least `/`) and query, with
/// percent signs only where they are needed. Scheme, user and fragment are not in it: proxies log some of them, some not.
pub(crate) fn url(given: &str) -> Option<String> {
    let rest = given.split_once("://").map_or(given, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = split_port(authority);
    let name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(six) => format!("[{}]", address::six(six.as_bytes())?),
        None => match address::four(name.as_bytes()) {
            Some(four) => core::net::Ipv4Addr::from_bits(four).to_string(),
            None => host::canonical(name)?,
        },
    };
    // A host alone is a domain, unless a scheme says otherwise.
    if rest.is_empty() && port.is_none() && !given.contains("://") {
        return None;
    }
    one_form(&name, port, rest)
}

/// The one form of an URL whose host is known.
pub(crate) fn one_form(host: &str, port: Option<u16>, rest: &str) -> Option<String> {
    let mut out = String::with_capacity(host.len() + rest.len() + 8);
    out.push_str(host);
    if let Some(port) = port.filter(|port| !matches!(port, 80 | 443)) {
        out.push(':');
        out.push_str(&port.to_string());
    }
    if !rest.starts_with('/') {
        out.push('/');
    }
    percent(&mut out, rest.split('#').next().unwrap_or_default());
    (out.len() <= limits::URL).then_some(out)
}

/// The name and the port of an authority.
pub(crate) fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) if port.is_empty() => (name, None),
            Err(_) => (authority, None),
        },
        Some(_) | None => (authority, None),
    }
}

/// Writes percent signs where RFC 3986 §6.2.2 has them: unreserved letters plain, others in capitals.
fn percent(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                let decoded = u8::try_from(high * 16 + low).unwrap_or_default();
                if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
                    out.push(char::from(decoded));
                } else {
                    escape(out, decoded);
                }
                at += 3;
                continue;
            }
            _ if byte.is_ascii_graphic() => out.push(char::from(byte)),
            _ => escape(out, byte),
        }
        at += 1;
    }
}

fn escape(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_where_they_are_needed() {
        let check = |given: &str, expect: &str| assert_eq!(url(given).as_deref(), Some(expect), "{given}");
        check("http://a.example/%7euser/%2fx%c3%bc", "a.example/~user/%2Fx%C3%BC");
        check("http://a.example/ü", "a.example/%C3%BC");
        check("http://a.example?x", "a.example/?x");
        check("http://u:p@a.example:80/", "a.example/");
        check("http://[2001:DB8::1]:81/x", "[2001:db8::1]:81/x");
        check("a.example/x%", "a.example/x%");
    }
}
