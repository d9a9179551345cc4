//! Reading bodies within their limits.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use sluice_codec::{UnknownZone, Zone};
use sluice_http::Problem;
use sluice_model::EventTime;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use crate::{
    http::{
        App,
        problem::{bad_request, busy, internal},
    },
    incoming::{Incoming, read_document},
    ingest::{self, Contents, Format},
    limits::{BODIES_BYTES_MAX, DECISION_BODIES_BYTES_MAX, INLINE_BODY_BYTES_MAX, WEBHOOK_BODIES_BYTES_MAX},
};

/// The unit in which memory for bodies is lent.
pub(super) const PERMIT_BYTES: usize = 4 * 1024;
/// All of it.
pub(super) const BODY_PERMITS: usize = BODIES_BYTES_MAX / PERMIT_BYTES;
/// What is kept for decisions, so that no file is in their way.
pub(super) const DECISION_PERMITS: usize = DECISION_BODIES_BYTES_MAX / PERMIT_BYTES;
/// What is kept for webhooks, so that nobody who cannot sign stands in the way of who has signed in.
pub(super) const WEBHOOK_PERMITS: usize = WEBHOOK_BODIES_BYTES_MAX / PERMIT_BYTES;
/// A body that is too large is read on to here before it is refused: a client that is still sending would meet
/// a broken connection instead of the answer.
const DRAINED_BYTES_MAX: usize = 128 * 1024 * 1024;

/// A body in memory that was lent for it.
pub(super) struct Lent<'a> {
    pub bytes: Bytes,
    /// To be kept as long as what was read of it.
    pub memory: Option<SemaphorePermit<'a>>,
}

/// Read a body of `bytes_max` at most, within the limit of all together, which borrow from `memory`.
pub(super) async fn read<'a>(
    app: &App,
    memory: &'a Semaphore,
    headers: &HeaderMap,
    mut body: Body,
    bytes_max: usize,
) -> Result<Lent<'a>, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::coded(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported",
            "bodies are read as they are: send no Content-Encoding",
        ));
    }
    let (mut read, mut bytes, mut lent) = (0, Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad_request("the body did not come whole, or not in time"))?;
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        if read <= bytes_max {
            borrow(app, memory, &mut lent, read)?;
            bytes.extend_from_slice(&data);
        } else if read <= DRAINED_BYTES_MAX {
            (bytes, lent) = (Vec::new(), None);
        } else {
            break;
        }
    }
    if read > bytes_max {
        let detail = format!("a body may have {bytes_max} bytes at most: send fewer events at once");
        return Err(Problem::coded(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    Ok(Lent { bytes: bytes.into(), memory: lent })
}

/// Borrow as much memory as so many bytes need, beyond what is lent already.
fn borrow<'a>(
    app: &App,
    memory: &'a Semaphore,
    lent: &mut Option<SemaphorePermit<'a>>,
    bytes: usize,
) -> Result<(), Problem> {
    let missing = bytes.div_ceil(PERMIT_BYTES) - lent.as_ref().map_or(0, SemaphorePermit::num_permits);
    let permit = u32::try_from(missing).ok().and_then(|missing| memory.try_acquire_many(missing).ok());
    let Some(permit) = permit else {
        app.telemetry.busy();
        return Err(busy("too many bodies are being read at once"));
    };
    match lent {
        Some(lent) => lent.merge(permit),
        None => *lent = Some(permit),
    }
    Ok(())
}

/// The format of a body, if it is one of those that are read here.
pub(super) fn format(headers: &HeaderMap, read_here: &[Format]) -> Result<Format, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Format::of(content_type).filter(|format| read_here.contains(format)).ok_or_else(|| {
        let names: Vec<_> = read_here.iter().map(|format| format.media_type()).collect();
        let detail = format!("send a Content-Type of {}", names.join(" or "));
        Problem::coded(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", detail)
    })
}

/// What a request says of where its body comes from.
#[derive(Deserialize)]
pub(super) struct Origin {
    zone: Option<String>,
}

impl Origin {
    /// Where its times without an offset are at home.
    pub(super) fn zone(&self, app: &App) -> Result<Zone, Problem> {
        let Some(name) = &self.zone else { return Ok(app.zone.clone()) };
        name.parse().map_err(|unknown: UnknownZone| {
            Problem::coded(StatusCode::BAD_REQUEST, "unknown_value", format!("`zone` is {unknown}"))
        })
    }
}

/// A body's events, to be taken in: those of a large document are read meanwhile.
pub(super) async fn incoming(
    app: &App,
    format: Format,
    zone: Zone,
    bytes: Bytes,
    received_at: EventTime,
) -> Result<Incoming, Problem> {
    if format != Format::Iso20022 || bytes.len() <= INLINE_BODY_BYTES_MAX {
        return Ok(Incoming::read(decode(app, format, zone, &bytes).await?, received_at));
    }
    // Neither is ever closed. What is read while it is taken in is no faster than that, and needs no turn at decoding.
    let document = Arc::clone(&app.documents).acquire_owned().await;
    let decode = Arc::clone(&app.decodes).acquire_owned().await;
    let (sender, found) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _until_taken_in = document;
        read_document(&bytes, &zone, received_at, |incoming| {
            drop(decode);
            drop(sender.send(incoming));
        });
    });
    found.await.map_err(|_| internal("the body could not be decoded"))
}

/// Decode a body; a large one on a thread of its own.
pub(super) async fn decode(
    app: &App,
    format: Format,
    zone: Zone,
    bytes: &Bytes,
) -> Result<Contents, Problem> {
    if bytes.len() <= INLINE_BODY_BYTES_MAX {
        return Ok(ingest::read(format, bytes, &zone));
    }
    let bytes = bytes.clone();
    // Never closed.
    let _turn = app.decodes.acquire().await;
    let decoded = tokio::task::spawn_blocking(move || ingest::read(format, &bytes, &zone)).await;
    decoded.map_err(|_| internal("the body could not be decoded"))
}
