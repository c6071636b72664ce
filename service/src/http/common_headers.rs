//! The headers that all replies have.

use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::{DATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::format::correlation_vector;
use crate::format::date_time::LAST_SECOND;

pub(crate) const MS_CV: HeaderName = HeaderName::from_static("ms-cv");

/// Adds the headers that all replies have, except those that a fault has set.
pub(crate) fn with_common_headers(mut response: Response, unix_time: Duration) -> Response {
    let headers = response.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    for (name, text) in [(MS_CV, correlation_vector::generate()), (DATE, http_date(unix_time))] {
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
