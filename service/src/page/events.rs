//! The stream of server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Body as HttpBody, Frame};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval};

use super::Page;
use super::feed::Feed;
use crate::http::reply;
use crate::net::Shutdown;

/// How often the page is brought up to date, in real time. Changes in between are sent together.
const PERIOD: Duration = Duration::from_millis(200);

/// The events until the reader leaves or the emulator stops, or 503 if there are too many readers.
pub(super) fn reply(page: Page) -> Response {
    let Ok(permit) = page.readers.clone().try_acquire_owned() else {
        let text = "too many pages are open; close one";
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    // Feeds a reader only as fast as it reads: with one text on its way, the next is not made. It then has what is new
    // by that time, and leaves out what the page would no longer show.
    let (sender, texts) = channel(1);
    tokio::spawn(send(page, permit, sender));
    ([(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))], Body::new(Texts(texts))).into_response()
}

async fn send(mut page: Page, _permit: OwnedSemaphorePermit, sender: Sender<Bytes>) {
    let mut feed = Feed::new(&page);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sending = async {
        loop {
            ticks.tick().await;
            if let Some(text) = feed.next()
                && sender.send(text.into()).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        () = sending => {}
        () = sender.closed() => {}
        // Otherwise a graceful shutdown would wait for the reader.
        _ = page.shutdown.wait_for(|shutdown| *shutdown != Shutdown::NotRequested) => {}
    }
}

struct Texts(Receiver<Bytes>);

impl HttpBody for Texts {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.0.poll_recv(cx).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}
