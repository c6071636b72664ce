//! What every request and every reply of the service share: the record, the straightened path, the faults, the common
//! headers.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{DATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::body::{self, Unreceived};
use super::keep_alive::KeepAlive;
use super::problem;
use super::sabotage::{self, Outcome};
use crate::connections::Carrier;
use crate::correlation;
use crate::date_time::LAST_SECOND;
use crate::path;
use crate::request_log::{RecordedRequest, recorded_headers, recorded_method};
use crate::service::Service;
use crate::takeover::Takeover;

const MS_CV: HeaderName = HeaderName::from_static("ms-cv");

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
            Err(Unreceived { status, text, .. }) => problem::reply(&service, &path, status, &text),
        }
    };
    let outcome = match fault {
        Some(fault) => sabotage::carry_out(fault, operation).await,
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
            let (head, body) = sabotage::on_the_wire(response).await;
            let body = if is_head { &[] } else { &body[..] };
            let afterwards = keep_alive.afterwards();
            carrier.take_over(Takeover::Drip { reply: [&head, body].concat(), interval, afterwards }).await
        }
        Outcome::Truncated(response, bytes) => {
            let (head, body) = sabotage::on_the_wire(with_common_headers(response, unix_time)).await;
            let part = &body[..bytes.min(body.len())];
            carrier.take_over(Takeover::Part([head.as_slice(), part].concat())).await
        }
        Outcome::Cut(takeover) => carrier.take_over(takeover).await,
    }
}

/// Adds the headers that all replies have. A fault may have set some of them on purpose.
pub(super) fn with_common_headers(mut response: Response, unix_time: Duration) -> Response {
    let headers = response.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    for (name, text) in [(MS_CV, correlation::vector()), (DATE, http_date(unix_time))] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.entry(name).or_insert(value);
        }
    }
    response
}

fn http_date(unix_time: Duration) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + unix_time.min(Duration::from_secs(LAST_SECOND)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_end_with_the_year_9999() {
        assert_eq!(http_date(Duration::ZERO), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(Duration::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
