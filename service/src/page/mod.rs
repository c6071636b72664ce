//! The page at `/`: sessions and requests as they come, and buttons for the control calls. Plain HTML, CSS and one
//! JavaScript module, which need no build step.
//!
//! Whatever serves these routes must guard them as it does the control calls.

mod events;
mod feed;
mod json;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::{Semaphore, watch};

use crate::net::Shutdown;
use crate::state::ServiceState;

/// How many pages can be open at a time.
const MOST_READERS: usize = 16;

/// What the page needs of the running emulator.
#[derive(Clone)]
pub(crate) struct Page {
    state: Arc<ServiceState>,
    /// The URLs for other machines.
    urls: Arc<[String]>,
    shutdown: watch::Receiver<Shutdown>,
    readers: Arc<Semaphore>,
}

impl Page {
    pub(crate) fn new(state: &Arc<ServiceState>, urls: &[String], shutdown: &watch::Receiver<Shutdown>) -> Page {
        let readers = Arc::new(Semaphore::new(MOST_READERS));
        Page { state: state.clone(), urls: urls.into(), shutdown: shutdown.clone(), readers }
    }

    /// What the page loads, below `/emulator`.
    pub(crate) fn routes(self) -> Router<Arc<ServiceState>> {
        Router::new()
            .route("/page.css", get(|| asset("text/css; charset=utf-8", include_str!("page.css"))))
            .route("/page.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page.js"))))
            .route("/page.svg", get(|| asset("image/svg+xml", include_str!("page.svg"))))
            .route("/events", get(async move || events::reply(self)))
    }
}

/// The page itself.
pub(crate) async fn index() -> Response {
    asset("text/html; charset=utf-8", include_str!("page.html")).await
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], text).into_response()
}
