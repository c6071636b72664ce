//! What every request and every reply of the service share: the record, the straightened path, the faults, the common
//! headers.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::error_reply;
use crate::faults::{self, Afterwards, Outcome, Takeover};
use crate::http::body::{self, Unreceived};
use crate::http::common_headers::with_common_headers;
use crate::http::keep_alive::KeepAlive;
use crate::http::{path, raw_reply};
use crate::net::Carrier;
use crate::request_log::{RecordedRequest, recorded_headers, recorded_method};
use crate::state::Service;

/// Records a request, receives the rest of it, passes it on and completes the reply. A request whose connection is cut
/// under it never gets a status.
pub(super) async fn envelope(
    State(service): State<Arc<Service>>,
    Extension(carrier): Extension<Carrier>,
    mut request: Request,
    next: Next,
) -> Response {
    let entry = service.requests.begin(RecordedRequest {
        at: service.clock.uptime(),
        connection: carrier.number,
        method: recorded_method(request.method()),
        path: path::as_sent(request.uri()),
        headers: recorded_headers(request.headers()),
        status: 0,
    });
    path::straighten(request.uri_mut());
    let fault = service.faults.strike(request.method(), request.uri().path());
    let path = request.uri().path().to_owned();
    let is_head = request.method() == Method::HEAD;
    let keep_alive = KeepAlive::asked_for(&request);
    let received = body::received(request).await;
    let wholly_read = received.as_ref().map_or_else(|unreceived| unreceived.wholly_read, |_| true);
    let operation = async {
        match received {
            Ok(request) => next.run(request).await,
            Err(Unreceived { status, text, .. }) => error_reply::reply(&service, &path, status, &text),
        }
    };
    let outcome = match fault {
        Some(fault) => faults::carry_out(fault, operation).await,
        None => Outcome::Reply(operation.await),
    };
    let unix_time = service.clock.unix_time();
    match outcome {
        Outcome::Reply(response) => {
            service.requests.finish(entry, response.status().as_u16());
            with_common_headers(response, unix_time)
        }
        Outcome::Dripped(response, interval) => {
            service.requests.finish(entry, response.status().as_u16());
            let keep_alive = if wholly_read { keep_alive } else { KeepAlive::No };
            let response = keep_alive.announced_in(with_common_headers(response, unix_time));
            let (head, body) = raw_reply::on_the_wire(response).await;
            let body = if is_head { &[] } else { &body[..] };
            let afterwards = if keep_alive.is_kept() { Afterwards::Serve } else { Afterwards::End };
            carrier.take_over(Takeover::Drip { reply: [&head, body].concat(), interval, afterwards }).await
        }
        Outcome::Truncated(response, bytes) => {
            let (head, body) = raw_reply::on_the_wire(with_common_headers(response, unix_time)).await;
            let part = &body[..bytes.min(body.len())];
            carrier.take_over(Takeover::Part([head.as_slice(), part].concat())).await
        }
        Outcome::Cut(takeover) => carrier.take_over(takeover).await,
    }
}
