//! HTTP: which path leads where.

mod access;
mod body;
mod control;
mod control_bodies;
mod control_guard;
mod envelope;
mod oversize;
mod reply;
mod sabotage;
mod sts;
mod v1;
mod v1_bodies;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use crate::connections::Carrier;
use crate::path;
use crate::service::Service;

/// What this server has, for those who asked for something else.
const WHAT_THERE_IS: &str = "GET /accounts/{accountId}/token, \
     POST /v1/accounts/{accountId}/sessions/create, \
     GET /v1/accounts/{accountId}/sessions, \
     GET /v1/accounts/{accountId}/sessions/{sessionId}/properties, \
     PATCH and DELETE /v1/accounts/{accountId}/sessions/{sessionId}";

/// The whole service, and beside it what controls it.
///
/// The service's routes are the inner router's. The one around it has none, so that its layers see each request before a
/// route is chosen: the envelope records it and straightens its path.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let routes = Router::new()
        .route("/accounts/{account}/token", get(sts::token))
        .merge(v1::routes(&service))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(service.clone());
    let control = control::routes(&service);
    let routes = Router::new().fallback_service(routes).layer(from_fn_with_state(service, envelope::envelope));
    Router::new().nest("/emulator", control).fallback_service(routes).layer(from_fn(at_work))
}

/// While a request is answered, its connection is not idle.
async fn at_work(Extension(carrier): Extension<Carrier>, request: Request, next: Next) -> Response {
    let _work = carrier.begin_work();
    next.run(request).await
}

async fn unknown_path(uri: Uri) -> Response {
    let text = format!("there is nothing at {}; this server has {WHAT_THERE_IS}", path::shortened(uri.path()));
    reply::error(StatusCode::NOT_FOUND, &text)
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let text = format!("{method} does not work on {}; this server has {WHAT_THERE_IS}", uri.path());
    reply::error(StatusCode::METHOD_NOT_ALLOWED, &text)
}
