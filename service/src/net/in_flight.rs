//! In-flight requests: from its head until the last byte of its reply, a request keeps its connection from being idle.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::activity::InFlightGuard;
use super::handle::ConnectionHandle;

/// Middleware that counts each request as in flight.
pub(crate) async fn track(
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
    next: Next,
) -> Response {
    let in_flight = connection.mark_in_flight();
    next.run(request).await.map(|body| Body::new(InFlightBody { body, _in_flight: in_flight }))
}

/// A reply body that keeps its request in flight until HTTP has taken all of it.
struct InFlightBody {
    body: Body,
    _in_flight: InFlightGuard,
}

impl HttpBody for InFlightBody {
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
