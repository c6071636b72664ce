//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::{error_reply, pipeline, sts, v1, v2021_01_01};
use crate::state::Service;

/// The token service and the session service.
///
/// The routes are the inner router's. The one around it has none, so that its layers see each request before a
/// route is chosen: the envelope records it and straightens its path.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let routes = Router::new()
        // What is merged with a router that takes a colon has to take it too.
        .without_v07_checks()
        .route("/accounts/{account}/token", get(sts::token))
        .merge(v1::routes(&service).without_v07_checks())
        .merge(v2021_01_01::routes(&service))
        .fallback(error_reply::unknown_path)
        .method_not_allowed_fallback(error_reply::wrong_method)
        .with_state(service.clone());
    Router::new().fallback_service(routes).layer(from_fn_with_state(service, pipeline::envelope))
}
