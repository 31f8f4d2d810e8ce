//! Opaque tokens: 256 random bits after a prefix that names their kind, so that a leaked token can
//! be recognised.
//!
//! Only their hashes are stored. Because the bits are random, nobody can reverse a plain SHA-256 of
//! them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use podgate_store::TokenHash;
use sha2::{Digest, Sha256};

use crate::error::{Denied, Result};

/// The purpose of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An access token.
    Session,
    /// A refresh token.
    Refresh,
    /// A WebSocket ticket.
    Ticket,
}

/// The number of random bytes of a token.
const BYTES: usize = 32;
/// The number of characters that these bytes take in Base64.
const CHARACTERS: usize = 43;

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "pgs_",
            Self::Refresh => "pgr_",
            Self::Ticket => "pgt_",
        }
    }

    /// Creates a token. Returns it with its hash.
    pub(crate) fn generate(self) -> Result<(String, TokenHash)> {
        let mut bytes = [0; BYTES];
        fill(&mut bytes)?;
        let token = self.text(&bytes);
        let hash = hash(&token);
        Ok((token, hash))
    }

    /// Returns the bytes of a token, or `None` if the text can't be a token of this kind.
    fn bytes(self, token: &str) -> Option<[u8; BYTES]> {
        let decoded = URL_SAFE_NO_PAD.decode(token.strip_prefix(self.prefix())?).ok()?;
        decoded.try_into().ok()
    }

    fn text(self, bytes: &[u8; BYTES]) -> String {
        format!("{}{}", self.prefix(), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the hash of a token, or `None` if the text can't be a token of this kind.
    pub(crate) fn hash(self, token: &str) -> Option<TokenHash> {
        let rest = token.strip_prefix(self.prefix())?;
        let whole = rest.len() == CHARACTERS
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        whole.then(|| hash(token))
    }
}

/// A refresh token. Its first half stays the same while its session lives, so that any token that
/// was used before is recognised. Its second half, 128 random bits, makes it usable once.
pub(crate) struct Refresh {
    /// The text for the client.
    pub(crate) token: String,
    /// The hash of the whole token.
    pub(crate) hash: TokenHash,
    /// The hash of the first half.
    pub(crate) family: TokenHash,
}

/// The number of bytes of the first half.
const FAMILY: usize = BYTES / 2;

impl Refresh {
    /// Creates the first token of a session.
    pub(crate) fn first() -> Result<Self> {
        let mut bytes = [0; BYTES];
        fill(&mut bytes)?;
        Ok(Self::from_bytes(&bytes, Kind::Refresh.text(&bytes)))
    }

    /// Parses the token that a client presents. Returns `None` if the text can't be one.
    pub(crate) fn presented(token: &str) -> Option<Self> {
        let bytes = Kind::Refresh.bytes(token)?;
        Some(Self::from_bytes(&bytes, token.to_owned()))
    }

    /// Creates the token that replaces this one.
    pub(crate) fn next(&self) -> Result<Self> {
        let mut bytes = Kind::Refresh.bytes(&self.token).unwrap_or_default();
        let (_, fresh) = bytes.split_at_mut(FAMILY);
        fill(fresh)?;
        Ok(Self::from_bytes(&bytes, Kind::Refresh.text(&bytes)))
    }

    fn from_bytes(bytes: &[u8; BYTES], token: String) -> Self {
        let (family, _) = bytes.split_at(FAMILY);
        Self {
            hash: hash(&token),
            family: Sha256::digest(family).into(),
            token,
        }
    }
}

/// Fills a buffer with random bytes of the operating system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| Denied::Internal(format!("the operating system gave no random bytes: {error}")))
}

/// Returns the SHA-256 of a text.
pub(crate) fn hash(text: &str) -> TokenHash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_token_is_recognised_by_its_kind_only() {
        let (token, hash) = Kind::Session.generate().unwrap();
        assert_eq!((&token[..4], token.len()), ("pgs_", 47));
        assert_eq!(Kind::Session.hash(&token), Some(hash));
        assert!(Refresh::presented(&token).is_none());
        assert_ne!(Kind::Session.generate().unwrap().0, token);
        for other in [
            "",
            "pgs_",
            &token[..46],
            &format!("{token}x"),
            &format!("{}+", &token[..46]),
        ] {
            assert_eq!(Kind::Session.hash(other), None, "{other}");
        }
    }

    #[test]
    fn refresh_tokens_of_a_session_share_one_half() {
        let first = Refresh::first().unwrap();
        let next = Refresh::presented(&first.token).unwrap().next().unwrap();
        assert_eq!((&next.token[..4], next.token.len()), ("pgr_", 47));
        assert!(next.token != first.token && next.hash != first.hash);
        assert_eq!(next.family, first.family);
        assert_eq!(Refresh::presented(&next.token).unwrap().hash, next.hash);
        assert_ne!(Refresh::first().unwrap().family, first.family);
        for other in ["", "pgr_", &first.token[..46], &format!("{}x", first.token)] {
            assert!(Refresh::presented(other).is_none(), "{other}");
        }
    }
}
