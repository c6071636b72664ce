//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::{error_reply, pipeline, sts, v1, v2021_01_01};
use crate::state::ServiceState;

/// The token service and the session service.
///
/// The inner router has the routes. The outer one has none, so that the pipeline sees each request, and normalises its
/// path, before a route is chosen.
pub(crate) fn router(state: Arc<ServiceState>) -> Router {
    let routes = Router::new()
        // Required of every router that is merged with one that has a colon in a path.
        .without_v07_checks()
        .route("/accounts/{account}/token", get(sts::token))
        .merge(v1::routes(&state).without_v07_checks())
        .merge(v2021_01_01::routes(&state))
        .fallback(error_reply::unknown_path)
        .method_not_allowed_fallback(error_reply::method_not_allowed)
        .with_state(state.clone());
    Router::new().fallback_service(routes).layer(from_fn_with_state(state, pipeline::process))
}
