//! In-flight requests: from its head until the last byte of its reply, a request keeps its connection from being idle.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::activity::InFlightGuard;
use super::handle::ConnectionHandle;

/// Answers the requests on one connection, and counts each as in flight.
pub(super) struct Requests {
    router: TowerToHyperService<Router>,
    connection: ConnectionHandle,
}

impl Requests {
    /// The router's handlers get the connection as an extension.
    pub(super) fn new(router: Router, connection: ConnectionHandle) -> Requests {
        Requests { router: TowerToHyperService::new(router), connection }
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<InFlightBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<InFlightBody>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let in_flight = self.connection.mark_in_flight();
        request.extensions_mut().insert(self.connection.clone());
        let reply = self.router.call(request);
        Box::pin(async move { Ok(reply.await?.map(|body| InFlightBody { body, _in_flight: in_flight })) })
    }
}

/// A reply body that keeps its request in flight until HTTP has taken all of it.
pub(super) struct InFlightBody {
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
