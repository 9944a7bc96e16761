//! Addresses of pages: built with every value encoded, and taken from outside only if they stay on this node.

use super::limits;

/// A path with a query of the values that are there.
pub fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut address = path.to_owned();
    let present = pairs.iter().filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|v| (*name, v)));
    for (at, (name, value)) in present.enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        encode(value, &mut address);
    }
    address
}

/// Percent-encodes everything but RFC 3986's unreserved characters (§2.3).
fn encode(value: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// An address to go back to after a login: a path of this node, or the first page. `//host` and `/\host` are other
/// hosts to a browser (WHATWG URL §4.4), and an open redirect would lend our name to them.
pub fn local(address: Option<&str>) -> &str {
    let good = |address: &&str| {
        address.starts_with('/')
            && !address.starts_with("//")
            && !address.starts_with("/login")
            && address.len() <= limits::RETURN_BYTES
            && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    address.filter(good).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_hold_what_is_there() {
        assert_eq!(with_query("/objects", &[("country", None), ("q", Some(""))]), "/objects");
        let address = with_query("/objects", &[("q", Some("a&b=<ü>")), ("type", Some("malware"))]);
        assert_eq!(address, "/objects?q=a%26b%3D%3C%C3%BC%3E&type=malware");
    }

    #[test]
    fn logins_lead_to_this_node_alone() {
        let check = |address: &str, expect: &str| assert_eq!(local(Some(address)), expect, "{address}");
        check("/objects?type=malware", "/objects?type=malware");
        for bad in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a b", "/a\r\nx", "/login?to=/"] {
            check(bad, "/");
        }
        assert_eq!(local(None), "/");
    }
}
