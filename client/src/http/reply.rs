//! Reading a reply.

use crate::wire::{Answer, Cause, Failure, Reply, Request};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderName};
use zeroize::Zeroizing;

/// Real vectors have 24 characters.
const LONGEST_VECTOR: usize = 127;

const USUAL_REPLY: usize = 8 * 1024;

/// The limit on the body of a failed reply, which is an error message.
const LONGEST_ERROR: u64 = 64 * 1024;

const CORRELATION_VECTOR: HeaderName = HeaderName::from_static("ms-cv");

/// A reply whose head has arrived, and whose body is being read into it.
pub(super) struct Reading {
    pub(super) reply: Reply,
    /// Whether the body matters. If not, one that is too long or incomplete is ignored.
    whole: bool,
    /// The limit on the body, in bytes.
    pub(super) longest: u64,
}

impl Reading {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, request: &Request) -> Reading {
        let mut reply = Reply {
            status: status.as_u16(),
            sent: request.bearer.clone(),
            // Large enough for every real reply, so that growing the buffer leaves no copy of a token behind.
            body: Zeroizing::new(Vec::with_capacity(USUAL_REPLY)),
            ..Reply::default()
        };
        // Bytes that are not ASCII, as in the account's part of a `Location`, must not cost the rest of a header.
        let header = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let vector = header(CORRELATION_VECTOR);
        reply.correlation_vector = vector.and_then(|vector| reply.printable_up_to(&vector, LONGEST_VECTOR));
        reply.date = header(header::DATE);
        reply.location = header(header::LOCATION);
        reply.retry_after = header(header::RETRY_AFTER);
        reply.is_html = header(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let (whole, longest) = match reply.is_success() {
            true => (request.needs_body, request.longest_reply),
            false => (false, LONGEST_ERROR),
        };
        Reading { reply, whole, longest }
    }

    /// Appends a part of the body. Returns whether there is room for more.
    pub(super) fn add(&mut self, part: &[u8]) -> bool {
        self.reply.body.extend_from_slice(part);
        !self.is_too_long()
    }

    fn is_too_long(&self) -> bool {
        self.reply.body.len() as u64 > self.longest
    }

    /// The answer when the body has ended. `broken_off`: why it is incomplete.
    pub(super) fn end(mut self, origin: &str, broken_off: Option<Cause>) -> Answer {
        self.reply.is_cut = broken_off.is_some() || self.is_too_long();
        match broken_off {
            Some(cause) if self.whole => Err(Failure::new(origin, cause).after_head(&self.reply)),
            None if self.whole && self.is_too_long() => {
                Err(Failure::new(origin, Cause::TooLong).after_head(&self.reply))
            }
            _ => Ok(self.reply),
        }
    }
}
