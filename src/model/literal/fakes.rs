//! Texts that look like secrets and are known to be none: those of documentations and emulators, sequences, and lines that say so.

use crate::model::text::hex;
use sha2::{Digest, Sha256};

/// Salted hashes (their first 12 bytes) of sample tokens, so that this file does not trip scanners: Google's sample keys, Stripe's
/// documentation keys, the samples of jwt.io, the keys of the Azurite and Cosmos emulators, GitHub's documentation tokens, AWS's pair.
const KNOWN: &[&str] = &[
    "820e69af888b9e2a392af5da",
    "22f0737f739e6da8b975bedd",
    "b18f3c8cdfd508fb2682fe18",
    "ad83094a9b0f0ab84f9f360b",
    "70e3864e9f8d1c3120fae2cd",
    "ee84dad1b012710265126672",
    "df3121bf53224deacd34bb2a",
    "73d49f436c83c7ba8a007357",
    "d8408c75bf53011fa7d37230",
    "2e0b42cf398a4ba2d1009145",
    "230c1c9e3caef943c303ddea",
    "5a3ffc06f8358082ceeb0281",
    "fd74e7da8ce97f043f3a9fa3",
    "834adeafbd02da7766479120",
    "5e413dc1b12976a6352551f7",
    "5ad93aacae90d3cab3d803f0",
    "c394c87ef8f02dc24318ac55",
    "3f23c879f2c1f62959d46550",
    "9b8c00a891e8247eb40ec707",
    "d63c305a88b0ce8b1fde0700",
    "0920ab4b12e30dfaa04bf954",
    "9150d16dd46f82115ba148a5",
    "781f40adba0c57a2dbb668f6",
    "571964c588eefd6c31cdcac7",
    "a9389dd2fd4835682e646ac7",
    "3a286a87b9d933648493b784",
    "f5a4402b8d38810bc7c3ee46",
    "c4433df7791cc2b9a37df283",
    "fa5dbe4ffb7170e0030f5de1",
    "6feecc2b3b18e97569db5b71",
];

const SALT: &[u8] = b"pinguard well-known fake\0";

/// Comments on the line of a token by which people say that it is none.
const EXCUSES: &[&str] =
    &["# example", "// example", "# nosec", "gitleaks:allow", "pragma: allowlist secret", "nosecret"];

/// Whether a token is a well-known sample, or counts up, down or on the spot.
pub fn is_fake(token: &str) -> bool {
    token.ends_with("EXAMPLE") || token.ends_with("EXAMPLEKEY") || is_known(token) || is_monotone(token)
}

fn is_known(token: &str) -> bool {
    let mut hash = Sha256::new();
    hash.update(SALT);
    hash.update(token.as_bytes());
    KNOWN.contains(&hex(&hash.finalize()[..12]).as_str())
}

/// `abcdefgh…`, `0123456789…`, `aaaa…`: most neighbours differ by one or not at all.
fn is_monotone(token: &str) -> bool {
    let bytes = token.as_bytes();
    let steps = bytes.windows(2).filter(|pair| {
        let step = i16::from(pair[1].to_ascii_lowercase()) - i16::from(pair[0].to_ascii_lowercase());
        // After 9 comes 0, or `a`; after z comes 0.
        (-1..=1).contains(&step)
            || matches!((pair[0], pair[1]), (b'9', b'0' | b'a' | b'A') | (b'z' | b'Z' | b'f', b'0'))
    });
    bytes.len() > 4 && steps.count() * 10 >= (bytes.len() - 1) * 7
}

/// Whether the line that a token stands in says that it is none.
pub fn is_excused(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    EXCUSES.iter().any(|excuse| line.contains(excuse))
}
