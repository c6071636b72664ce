//! A JSON body of any length, generated while it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};

const BEGIN: &[u8] = br#"{"padding":""#;
const END: &[u8] = br#""}"#;
const LARGEST_PIECE: u64 = 64 * 1024;

/// `{"padding":"xxx…"}`, or only its beginning if the length is too short.
pub(super) struct Oversize {
    length: u64,
    sent: u64,
}

impl Oversize {
    pub(super) fn new(length: u64) -> Oversize {
        Oversize { length, sent: 0 }
    }

    fn byte(&self, place: u64) -> u8 {
        let from_begin = usize::try_from(place).ok().and_then(|place| BEGIN.get(place));
        let from_end = usize::try_from(self.length - place).ok();
        let end = from_end.and_then(|from_end| END.len().checked_sub(from_end)).map(|index| END[index]);
        from_begin.copied().or(end).unwrap_or(b'x')
    }
}

impl Body for Oversize {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.length.min(self.sent + LARGEST_PIECE);
        if next == self.sent {
            return Poll::Ready(None);
        }
        let piece: Vec<u8> = (self.sent..next).map(|place| self.byte(place)).collect();
        self.sent = next;
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length - self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::Oversize;

    #[test]
    fn an_oversize_body_is_json_from_14_bytes_on() {
        let text = |length| {
            let body = Oversize::new(length);
            (0..length).map(|place| char::from(body.byte(place))).collect::<String>()
        };
        assert_eq!(text(14), r#"{"padding":""}"#);
        assert_eq!(text(17), r#"{"padding":"xxx"}"#);
        assert_eq!(text(3), r#"{"p"#);
    }
}
