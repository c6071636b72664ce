//! Conversions, REST 2021-01-01 (`docs/service-2021-01-01.md`, "Conversions").

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::conversion_json::{self, ConversionPage, ConversionRequest, ConversionResource};
use super::json;
use super::paging;
use super::version::ApiVersion;

use crate::api::access::Caller;
use crate::clock::Timestamp;
use crate::config::WireFormat;
use crate::conversion::{ConversionCreation, ConversionId, ConversionRefused};
use crate::http::body::{InvalidBody, JsonObject};
use crate::http::conversion_param::ConversionParam;
use crate::http::reply;
use crate::state::ServiceState;

/// The code of the 403 for a create without a shared access signature.
const NO_ACCESS: &str = "DelegatedResourceAccessError";
const NO_ACCESS_TEXT: &str = "Error accessing connected storage account due to insufficient permissions. Check if the \
     Mixed Reality resource has correct permissions assigned.";
/// What the later format adds.
const NO_ACCESS_LINK: &str = " Documentation on how to link Remote Rendering Accounts to storage can be found here: \
     https://docs.microsoft.com/azure/remote-rendering/how-tos/create-an-account#link-storage-accounts.";

/// The routes, to be put behind the checks of version and access.
pub(super) fn routes() -> Router<Arc<ServiceState>> {
    Router::new()
        // Required of every router that is merged with one that has a colon in a path.
        .without_v07_checks()
        .route("/accounts/{account}/conversions", get(list))
        .route("/accounts/{account}/conversions/{conversion}", get(read).put(create))
}

/// An error reply. Unlike those of sessions, it is the same in both formats: without unknown values.
fn error_reply(status: StatusCode, message: &str) -> Response {
    json::error_reply(WireFormat::V2022, status, message)
}

/// `PUT …/conversions/{conversion}`.
async fn create(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    ConversionParam(id): ConversionParam,
    body: Result<JsonObject, InvalidBody>,
) -> Result<Response, Response> {
    let bad_request = |text: String| error_reply(StatusCode::BAD_REQUEST, &text);
    let id = ConversionId::parse(&id).map_err(|error| bad_request(error.to_string()))?;
    let JsonObject(body) = body.map_err(|InvalidBody(reason)| bad_request(reason))?;
    let request = conversion_json::request(&body).map_err(|error| bad_request(error.to_string()))?;
    let ConversionRequest { settings, has_signatures } = request;
    if !has_signatures && !state.linked_storage {
        return Err(no_access(state.wire));
    }
    let (mut conversions, timestamp) = state.conversions();
    let (status, conversion) = match conversions.create(timestamp, account, id, settings) {
        Ok(ConversionCreation::New(conversion)) => (StatusCode::CREATED, conversion),
        Ok(ConversionCreation::Existing(conversion)) => (StatusCode::OK, conversion),
        Err(ConversionRefused::Conflict) => return Err(error_reply(StatusCode::CONFLICT, json::CONFLICT_TEXT)),
        Err(ConversionRefused::Full) => {
            let text = "as many conversions run as can; retry when one has ended";
            let (status, code) = (StatusCode::TOO_MANY_REQUESTS, reply::SERVICE_FULL);
            return Err(json::error_reply_with_code(WireFormat::V2022, status, code, text));
        }
    };
    Ok(reply::json(status, &ConversionResource::of(conversion, timestamp.now)))
}

fn no_access(wire: WireFormat) -> Response {
    let text = match wire {
        WireFormat::V2021 => NO_ACCESS_TEXT.to_owned(),
        WireFormat::V2022 => format!("{NO_ACCESS_TEXT}{NO_ACCESS_LINK}"),
    };
    json::error_reply_with_code(WireFormat::V2022, StatusCode::FORBIDDEN, NO_ACCESS, &text)
}

/// `GET …/conversions/{conversion}`.
async fn read(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    ConversionParam(id): ConversionParam,
) -> Response {
    let (mut conversions, Timestamp { now, .. }) = state.conversions();
    match conversions.find(now, account, &id) {
        Some(conversion) => reply::uncacheable(reply::json(StatusCode::OK, &ConversionResource::of(conversion, now))),
        None => reply::empty(StatusCode::NOT_FOUND),
    }
}

/// `GET …/conversions`.
async fn list(
    State(state): State<Arc<ServiceState>>,
    Extension(Caller(account)): Extension<Caller>,
    Extension(version): Extension<ApiVersion>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let from = paging::continuation(uri.query())
        .ok_or_else(|| error_reply(StatusCode::BAD_REQUEST, paging::NO_CONTINUATION))?;
    let (mut store, Timestamp { now, .. }) = state.conversions();
    let mut listed = store.list(now, account, from);
    let page = listed.by_ref().take(state.page_size).map(|conversion| ConversionResource::of(conversion, now));
    let conversions: Vec<_> = page.collect();
    let next_link =
        listed.next().map(|next| paging::next_link(state.scheme, version, &uri, &headers, next.identity.number));
    Ok(reply::json(StatusCode::OK, &ConversionPage { conversions, next_link }))
}
