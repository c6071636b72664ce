//! The request log as a reply that is written while it is sent: each reader takes the memory of a hundred requests,
//! however long the log is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame};

use super::json::LoggedRequest;
use crate::http::reply;
use crate::state::ServiceState;

/// The reply with all requests up to now.
pub(super) fn reply(state: Arc<ServiceState>) -> Response {
    let until = state.requests.end();
    reply::json_body(Body::new(Record { state, next: 0, until, place: Place::Start }))
}

struct Record {
    state: Arc<ServiceState>,
    /// The numbers of the next request to write, and of the one after the last.
    next: u64,
    until: u64,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    First,
    Later,
    End,
}

impl HttpBody for Record {
    type Data = Bytes;
    type Error = serde_json::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let text = match self.place {
            Place::Start => {
                self.place = Place::First;
                b"{\"requests\":[".to_vec()
            }
            Place::End => return Poll::Ready(None),
            Place::First | Place::Later => {
                let (some, next) = self.state.requests.some(self.next, self.until);
                self.next = next;
                if some.is_empty() {
                    self.place = Place::End;
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"]}")))));
                }
                match self.write(some.into_iter().map(LoggedRequest::from)) {
                    Ok(text) => text,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
        };
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}

impl Record {
    fn write(&mut self, requests: impl Iterator<Item = LoggedRequest>) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        for request in requests {
            if self.place == Place::Later {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, &request)?;
            self.place = Place::Later;
        }
        Ok(text)
    }
}
