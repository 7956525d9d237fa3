//! Why a token or a key is refused.

/// Why a token is refused. Neither the text nor the name ever holds a part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`crate::token::TOKEN_BYTES_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts between two dots.
    #[error("the token does not have exactly three parts")]
    NotCompact,
    /// Five parts, or a header with `enc` or `zip`: encrypted tokens are not taken.
    #[error("the token is encrypted or compressed")]
    Encrypted,
    /// A part is not unpadded base64url with unused bits of zero.
    #[error("a part of the token is not base64url without padding")]
    Encoding,
    /// The header is no JSON object, names a member twice, or holds a member of a wrong type.
    #[error("the header is not a JSON object of the expected form")]
    Header,
    /// `alg` is `none`, in any spelling.
    #[error("the token is not signed")]
    Unsigned,
    /// `alg` is not the one algorithm of the key.
    #[error("the algorithm is not the one of the key")]
    Algorithm,
    /// The header carries a key or the address of one: `jwk`, `jku`, `x5u` or `x5c`.
    #[error("the header carries a key or the address of one")]
    EmbeddedKey,
    /// The header has `crit`: no extension is understood here.
    #[error("the header asks for extensions")]
    Critical,
    /// The header has `b64` (RFC 7797).
    #[error("the payload is declared unencoded")]
    Unencoded,
    /// `cty` says that the payload is a token again.
    #[error("the token holds another token")]
    Nested,
    /// `typ` is not that of the kind of token asked for.
    #[error("the token is of another type")]
    Type,
    /// No key has this `kid`, or none has the algorithm of a token without one.
    #[error("no key for this token")]
    UnknownKey,
    /// A token without `kid`, and more than one key it could mean.
    #[error("the token does not say which of several keys signed it")]
    AmbiguousKey,
    /// The signature does not belong to this text and key.
    #[error("the signature is wrong")]
    Signature,
    /// The payload is no JSON object, names a member twice, or holds a claim of a wrong type.
    #[error("the claims are not a JSON object of the expected form")]
    Claims,
    /// A claim that this kind of token must have.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// `iss` is not the expected one, letter by letter.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` does not name us, or `azp` names another.
    #[error("the token is meant for another audience")]
    Audience,
    /// `nonce` is not the one that was sent.
    #[error("the nonce is another one")]
    Nonce,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` lies ahead.
    #[error("the token was issued in the future")]
    IssuedAhead,
    /// From `iat` to `exp` is longer than allowed, or not above zero.
    #[error("the token lives too long")]
    Lifetime,
    /// The token, its grant, its user or its key was revoked.
    #[error("the token was revoked")]
    Revoked,
}

impl TokenError {
    /// A stable name, for metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotCompact => "not_compact",
            Self::Encrypted => "encrypted",
            Self::Encoding => "bad_encoding",
            Self::Header => "bad_header",
            Self::Unsigned => "unsigned",
            Self::Algorithm => "wrong_algorithm",
            Self::EmbeddedKey => "embedded_key",
            Self::Critical => "critical_extension",
            Self::Unencoded => "unencoded_payload",
            Self::Nested => "nested",
            Self::Type => "wrong_type",
            Self::UnknownKey => "unknown_key",
            Self::AmbiguousKey => "ambiguous_key",
            Self::Signature => "bad_signature",
            Self::Claims => "bad_claims",
            Self::Missing(_) => "missing_claim",
            Self::Issuer => "wrong_issuer",
            Self::Audience => "wrong_audience",
            Self::Nonce => "wrong_nonce",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedAhead => "issued_ahead",
            Self::Lifetime => "lifetime",
            Self::Revoked => "revoked",
        }
    }
}

/// Why a key or a set of keys is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// More bytes or more keys than a set may have.
    #[error("the key set is too large")]
    TooLarge,
    /// Not the JSON of a key or of a set, a member named twice, or a member of a wrong type.
    #[error("not a JSON Web Key or a set of them")]
    Form,
    /// A member of a private or symmetric key: such a set has leaked.
    #[error("the key set holds private members")]
    Private,
    /// Two keys that may verify have the same `kid`.
    #[error("two keys have the same `kid`")]
    DuplicateId,
    /// A kind of key, curve or algorithm that is not used here.
    #[error("a key of a kind or algorithm that is not used here")]
    Unsupported,
    /// Not meant for verifying: `use` or `key_ops` say otherwise.
    #[error("the key is not meant for verifying signatures")]
    Purpose,
    /// Too short, off the curve, or known to be breakable.
    #[error("the key is weak or not a key at all")]
    Weak,
    /// A stored private key that cannot be read.
    #[error("the stored key cannot be read")]
    Stored,
}
