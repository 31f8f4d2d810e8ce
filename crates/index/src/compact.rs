//! Texts that are numbers, kept as such.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An IP. What does not print again as it was written is kept as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ip {
    #[default]
    None,
    V4([u8; 4]),
    V6([u8; 16]),
    Text(Box<str>),
}

impl Ip {
    pub(crate) fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self::None;
        }
        let ip = if let Ok(ip) = text.parse::<Ipv4Addr>() {
            Self::V4(ip.octets())
        } else if let Ok(ip) = text.parse::<Ipv6Addr>() {
            Self::V6(ip.octets())
        } else {
            return Self::Text(text.into());
        };
        if ip.text() == text { ip } else { Self::Text(text.into()) }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::V4(octets) => Ipv4Addr::from(*octets).to_string(),
            Self::V6(octets) => Ipv6Addr::from(*octets).to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

/// An object's uid: a UUID wherever a real API server made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uid {
    Uuid([u8; 16]),
    Text(Box<str>),
}

/// Where a UUID's text has hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Uid {
    pub(crate) fn new(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Uuid(bytes) => {
                let mut text = String::with_capacity(36);
                for byte in bytes {
                    if HYPHENS.contains(&text.len()) {
                        text.push('-');
                    }
                    for digit in [byte >> 4, byte & 15] {
                        text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                    }
                }
                text
            }
            Self::Text(text) => text.to_string(),
        }
    }
}

/// The bytes of a UUID in its usual form: 36 characters, lower case.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 || HYPHENS.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut digits = text
        .iter()
        .enumerate()
        .filter(|(at, _)| !HYPHENS.contains(at))
        .map(|(_, byte)| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        });
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = (digits.next()?? << 4) | digits.next()??;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ips_come_back_as_they_were() {
        for text in [
            "",
            "10.0.0.5",
            "::1",
            "fe80::1",
            "FE80::1",
            "010.0.0.1",
            "::ffff:1.2.3.4",
            "no ip",
            "1.2.3.4 ",
        ] {
            assert_eq!(Ip::new(text).text(), text);
        }
        assert!(matches!(Ip::new("10.0.0.5"), Ip::V4(_)));
        assert!(matches!(Ip::new("fd00::1:2"), Ip::V6(_)));
    }

    #[test]
    fn uids_come_back_as_they_were() {
        let uuid = "0c8dd1b6-3a34-4b21-9d3f-00ffeeddccbb";
        assert!(matches!(Uid::new(uuid), Uid::Uuid(_)));
        for text in [
            uuid,
            &uuid.to_uppercase(),
            "",
            "x",
            &uuid.replace('-', "0"),
            &uuid.replace('0', "-"),
            &uuid.replace("0c8d", "é8d"),
        ] {
            assert_eq!(Uid::new(text).text(), text);
        }
    }
}
