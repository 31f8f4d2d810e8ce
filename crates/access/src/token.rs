//! Opaque tokens: 256 random bits behind a prefix that says what they are, so that a leaked one is recognised. Kept as hashes only: the
//! bits are random, so that a plain SHA-256 can't be reversed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use podgate_store::TokenHash;
use sha2::{Digest, Sha256};

use crate::error::{Denied, Result};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An access token.
    Session,
    /// A refresh token.
    Refresh,
    /// A WebSocket ticket.
    Ticket,
}

/// Random bytes of a token, and how many characters they are in Base64.
const BYTES: usize = 32;
const CHARACTERS: usize = 43;

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "pgs_",
            Self::Refresh => "pgr_",
            Self::Ticket => "pgt_",
        }
    }

    /// A new token and its hash.
    pub(crate) fn generate(self) -> Result<(String, TokenHash)> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| Denied::Internal(format!("the operating system gave no random bytes: {error}")))?;
        let token = format!("{}{}", self.prefix(), URL_SAFE_NO_PAD.encode(bytes));
        let hash = hash(&token);
        Ok((token, hash))
    }

    /// The hash of a token of this kind; `None` for what can't be one.
    pub(crate) fn hash(self, token: &str) -> Option<TokenHash> {
        let rest = token.strip_prefix(self.prefix())?;
        let whole = rest.len() == CHARACTERS
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        whole.then(|| hash(token))
    }
}

/// SHA-256.
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
        assert_eq!(Kind::Refresh.hash(&token), None);
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
}
