//! Lines to standard error: warnings and, if configured, each request.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use axum::response::Response;
use serde::Serialize;

use crate::config::LogRequests;
use crate::format::{date_time, tenths_of_milliseconds};
use crate::sync::lock;

/// Writes lines on its own thread, so that a blocked terminal or pipe holds up nothing else.
#[derive(Debug)]
pub(crate) struct Log {
    format: LogRequests,
    lines: Option<SyncSender<String>>,
    dropped: Arc<AtomicU64>,
    /// Disconnects when all lines are written.
    written: Mutex<Receiver<()>>,
}

impl Log {
    pub(crate) fn start(format: LogRequests) -> Log {
        /// The most lines that wait to be written; further ones are dropped and counted.
        const MOST: usize = 10_000;
        let (lines, receiver) = sync_channel(MOST);
        let dropped = Arc::<AtomicU64>::default();
        let counter = Arc::clone(&dropped);
        let thread = thread::Builder::new().name("arr-emulator-log".to_owned());
        let (writing, written) = sync_channel(0);
        let write = move || {
            write(&receiver, &counter);
            drop(writing);
        };
        let started = thread.spawn(write).is_ok();
        Log { format, lines: started.then_some(lines), dropped, written: Mutex::new(written) }
    }

    /// Whether requests are logged.
    pub(crate) fn has_requests(&self) -> bool {
        self.format != LogRequests::Off
    }

    /// Warns the operator.
    pub(crate) fn warning(&self, unix_time: Duration, text: &str) {
        self.line(match self.format {
            LogRequests::Json => as_json(&Warning { time: date_time::format(unix_time), warning: text }),
            LogRequests::Off | LogRequests::Human => format!("arr-emulator: {text}"),
        });
    }

    fn request(&self, request: &Line<'_>) {
        self.line(match self.format {
            LogRequests::Json => as_json(request),
            LogRequests::Off | LogRequests::Human => {
                let Line { time, peer, method, path, status, milliseconds, ms_cv, .. } = request;
                let status = status.map_or("cut".to_owned(), |status| status.to_string());
                let cv = ms_cv.map_or(String::new(), |cv| format!("  MS-CV {cv}"));
                format!("{time}  {status}  {method} {path}  {milliseconds:.1} ms  {peer}{cv}")
            }
        });
    }

    fn line(&self, line: String) {
        if self.lines.as_ref().is_some_and(|lines| lines.try_send(line).is_err()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Log {
    /// Waits for the last lines, but not for long: standard error may be blocked.
    fn drop(&mut self) {
        self.lines = None;
        let _ = lock(&self.written).recv_timeout(Duration::from_secs(1));
    }
}

fn write(lines: &Receiver<String>, dropped: &AtomicU64) {
    for line in lines {
        let missing = dropped.swap(0, Ordering::Relaxed);
        let note =
            if missing > 0 { format!("arr-emulator: {missing} log lines were dropped here\n") } else { String::new() };
        // A closed standard error has no reader.
        let _ = io::stderr().write_all(format!("{note}{line}\n").as_bytes());
    }
}

fn as_json(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

#[derive(Serialize)]
struct Warning<'a> {
    time: String,
    warning: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    peer: IpAddr,
    connection: u64,
    method: &'a str,
    path: &'a str,
    /// Null if a fault has cut or dripped the reply, or the client has gone.
    status: Option<u16>,
    milliseconds: f64,
    ms_cv: Option<&'a str>,
}

/// A request that is logged when this is dropped, with or without a reply.
pub(crate) struct LoggedCall {
    pub(crate) log: Arc<Log>,
    pub(crate) unix_time: Duration,
    pub(crate) peer: IpAddr,
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) began: Instant,
    reply: Option<(u16, String)>,
}

impl LoggedCall {
    /// A request that begins now; `None` if requests are not logged.
    pub(crate) fn begin(
        log: &Arc<Log>,
        unix_time: Duration,
        (peer, connection): (IpAddr, u64),
        (method, path): (&str, &str),
    ) -> Option<LoggedCall> {
        let log = log.has_requests().then(|| Arc::clone(log))?;
        Some(LoggedCall {
            log,
            unix_time,
            peer,
            connection,
            method: method.into(),
            path: path.into(),
            began: Instant::now(),
            reply: None,
        })
    }

    pub(crate) fn end(mut self, reply: &Response) {
        let cv = reply.headers().get("ms-cv").and_then(|cv| cv.to_str().ok()).unwrap_or_default();
        self.reply = Some((reply.status().as_u16(), cv.to_owned()));
    }
}

impl Drop for LoggedCall {
    fn drop(&mut self) {
        self.log.request(&Line {
            time: date_time::format(self.unix_time),
            peer: self.peer,
            connection: self.connection,
            method: &self.method,
            path: &self.path,
            status: self.reply.as_ref().map(|(status, _)| *status),
            milliseconds: tenths_of_milliseconds(self.began.elapsed()),
            ms_cv: self.reply.as_ref().map(|(_, cv)| cv.as_str()),
        });
    }
}
