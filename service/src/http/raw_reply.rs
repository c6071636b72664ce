//! A reply as HTTP/1.1 bytes.

use axum::body::{Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;

/// The bytes of the head, with the true length of the body, and those of the body.
pub(crate) async fn serialize(response: Response) -> (Vec<u8>, Bytes) {
    let (mut parts, body) = response.into_parts();
    // The replies of the routes are in memory, so this cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if parts.status != StatusCode::NO_CONTENT && !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_str()).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(title_case(name).as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    (head, body)
}

/// `Content-Type` for `content-type`, as the HTTP library writes it.
fn title_case(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}
