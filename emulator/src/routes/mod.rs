//! HTTP: which path leads where.

mod access;
mod at_work;
mod body;
mod control;
mod control_bodies;
mod control_guard;
mod envelope;
mod keep_alive;
mod oversize;
mod problem;
mod reply;
mod sabotage;
mod sts;
mod v1;
mod v1_bodies;
mod v2021;
mod v2021_bodies;
mod v2021_version;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use crate::service::Service;

/// The whole service, and beside it what controls it.
///
/// The service's routes are the inner router's. The one around it has none, so that its layers see each request before a
/// route is chosen: the envelope records it and straightens its path.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let routes = Router::new()
        // What is merged with a router that takes a colon has to take it too.
        .without_v07_checks()
        .route("/accounts/{account}/token", get(sts::token))
        .merge(v1::routes(&service).without_v07_checks())
        .merge(v2021::routes(&service))
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::wrong_method)
        .with_state(service.clone());
    let control = control::routes(&service);
    let routes = Router::new().fallback_service(routes).layer(from_fn_with_state(service, envelope::envelope));
    Router::new().nest("/emulator", control).fallback_service(routes).layer(from_fn(at_work::at_work))
}
