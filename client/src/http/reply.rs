//! Reading a reply.

use crate::sys::Wiped;
use crate::wire::{Answer, Cause, Failure, Reply, Request};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderName};
use std::borrow::Cow;

/// Real vectors have 24 characters.
const LONGEST_VECTOR: usize = 127;

/// The first buffer for a body of unknown length. Nearly every real reply fits.
const USUAL_REPLY: u64 = 2 * 1024;

/// The limit on the body of a failed reply, which is an error message.
const LONGEST_ERROR: u64 = 64 * 1024;

const CORRELATION_VECTOR: HeaderName = HeaderName::from_static("ms-cv");

/// A reply whose head has arrived, and whose body is being read into it.
pub(super) struct Reading {
    reply: Reply,
    /// How much of the body's buffer is filled; the rest is zero.
    filled: usize,
    /// The length of the body, if the reply states it.
    length: Option<u64>,
    /// Whether the body matters. If not, one that is too long or incomplete is ignored.
    whole: bool,
    /// The limit on the body, in bytes.
    longest: u64,
}

impl Reading {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, request: &Request) -> Reading {
        let mut reply = Reply { status: status.as_u16(), sent: request.bearer.clone(), ..Reply::default() };
        // Bytes that are not ASCII, as in the account's part of a `Location`, must not cost the rest of a header.
        let header = |name: HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let vector = header(CORRELATION_VECTOR);
        reply.correlation_vector = vector.and_then(|vector| reply.printable_up_to(&vector, LONGEST_VECTOR));
        reply.date = header(header::DATE).map(Cow::into_owned);
        reply.location = header(header::LOCATION).map(Cow::into_owned);
        reply.retry_after = header(header::RETRY_AFTER).map(Cow::into_owned);
        let is_html = |kind: &str| {
            kind.as_bytes().windows(4).any(|part| part[3] | 0x20 == b'l' && part.eq_ignore_ascii_case(b"html"))
        };
        reply.is_html = header(header::CONTENT_TYPE).is_some_and(|kind| is_html(&kind));
        let (whole, longest) = match reply.is_success() {
            true => (request.needs_body, request.longest_reply),
            false => (false, LONGEST_ERROR),
        };
        let length = header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Reading { reply, filled: 0, length, whole, longest }
    }

    /// Where to put the next part of the body. `None` if there is none, or if it is too long.
    pub(super) fn place(&mut self) -> Option<&mut [u8]> {
        if self.length == Some(self.filled as u64) || self.is_too_long() {
            return None;
        }
        if self.filled == self.reply.body.len() {
            self.grow();
        }
        Some(&mut self.reply.body[self.filled..])
    }

    pub(super) fn filled(&mut self, length: usize) {
        self.filled += length;
    }

    /// Appends a part of the body. Returns whether there is room for more.
    pub(super) fn add(&mut self, mut part: &[u8]) -> bool {
        while !part.is_empty() {
            let Some(place) = self.place() else { return false };
            let length = part.len().min(place.len());
            place[..length].copy_from_slice(&part[..length]);
            self.filled(length);
            part = &part[length..];
        }
        !self.is_too_long()
    }

    /// Makes room for more of the body. It may have a token, so an earlier buffer is wiped.
    fn grow(&mut self) {
        // One byte more shows that it is too long.
        let most = self.longest + 1;
        let size = if self.filled == 0 { self.length.unwrap_or(USUAL_REPLY) } else { 2 * self.filled as u64 };
        let mut larger = Wiped::zeros(usize::try_from(size.min(most)).unwrap_or(usize::MAX));
        larger[..self.filled].copy_from_slice(&self.reply.body[..self.filled]);
        self.reply.body = larger;
    }

    fn is_too_long(&self) -> bool {
        self.filled as u64 > self.longest
    }

    /// The answer when the body has ended. `broken_off`: why it is incomplete.
    pub(super) fn end(mut self, origin: &str, broken_off: Option<Cause>) -> Answer {
        self.reply.is_cut = broken_off.is_some() || self.is_too_long();
        self.reply.body.truncate(self.filled);
        match broken_off {
            Some(cause) if self.whole => Err(Failure::new(origin, cause).after_head(&self.reply)),
            None if self.whole && self.is_too_long() => {
                Err(Failure::new(origin, Cause::TooLong).after_head(&self.reply))
            }
            _ => Ok(self.reply),
        }
    }
}
