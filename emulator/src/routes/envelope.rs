//! What every request and every reply share: the record, the straightened path, the common headers.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{DATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::{body, path};
use crate::connection::ConnectionNumber;
use crate::correlation;
use crate::request_log::RecordedRequest;
use crate::service::Service;

const MS_CV: HeaderName = HeaderName::from_static("ms-cv");

/// Records a request, receives the rest of it, passes it on and completes the reply.
pub(super) async fn envelope(
    State(service): State<Arc<Service>>,
    Extension(connection): Extension<ConnectionNumber>,
    mut request: Request,
    next: Next,
) -> Response {
    let entry = service.requests.begin(RecordedRequest {
        at: service.uptime(),
        connection: connection.0,
        method: request.method().to_string(),
        path: path::as_sent(request.uri()),
        status: 0,
    });
    path::straighten(request.uri_mut());
    let mut response = match body::received(request).await {
        Ok(request) => next.run(request).await,
        Err(too_large) => too_large,
    };
    add_common_headers(&mut response, service.clock.unix_time());
    service.requests.finish(entry, response.status().as_u16());
    response
}

fn add_common_headers(response: &mut Response, unix_time: Duration) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, text) in [(MS_CV, correlation::vector()), (DATE, http_date(unix_time))] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

fn http_date(unix_time: Duration) -> String {
    /// 9999-12-31T23:59:59Z: the format has four digits for the year.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(UNIX_EPOCH + unix_time.min(LAST))
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
