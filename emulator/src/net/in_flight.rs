//! While a request is answered, its connection is not idle: from its head until the last byte of its reply.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::activity::Work;
use super::handle::Carrier;

pub(crate) async fn at_work(Extension(carrier): Extension<Carrier>, request: Request, next: Next) -> Response {
    let work = carrier.begin_work();
    next.run(request).await.map(|body| Body::new(AtWork { body, _work: work }))
}

/// A body that is work until HTTP has taken all of it.
struct AtWork {
    body: Body,
    _work: Work,
}

impl HttpBody for AtWork {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
