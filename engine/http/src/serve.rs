//! Serves a process's router over HTTP/1.1. Here are the limits of a connection, each named once with its reason; what a
//! request may do is its handler's business.
//!
//! The router is made ready once and shared: a connection costs its buffers and a task, not a router of its own.

mod timeouts;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use tower::ServiceExt;

use self::timeouts::{Patient, Timely};

/// Within which the header of a request must have come whole, from the connection's opening or the last answer on: what
/// a silent connection, one kept alive for nothing and a header sent letter by letter are given.
const HEADER_WITHIN: Duration = Duration::from_secs(30);
/// Within which a body must have come whole: the largest, at 140 KiB a second.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// How long a client may take nothing of an answer that is ready for it.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// What a connection holds of what has come and what is to go: the largest header, too.
const BUFFER_BYTES: usize = 16 * 1024;
/// Connections at once: with [`BUFFER_BYTES`] twice and a task each, no more than 256 MiB.
const CONNECTIONS_MAX: usize = 4_096;
/// Files that the process opens besides: the stores, their journals, lists, snapshots.
const FILES_RESERVED: u64 = 256;
/// How long to wait when no connection can be taken, for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What is answered to a connection beyond the limit.
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
      content-type: application/problem+json\r\ncontent-length: 111\r\n\r\n\
      {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"busy\",\"detail\":\"too many connections\"}";

/// The limits that a test may choose.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    header_within: Duration,
    body_within: Duration,
    write_within: Duration,
    connections_max: usize,
}

impl Limits {
    /// The documented ones; fewer connections where the process may not open as many files.
    pub fn of_this_process() -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(FILES_RESERVED);
        let connections_max = usize::try_from(files).unwrap_or(usize::MAX).clamp(1, CONNECTIONS_MAX);
        if connections_max < CONNECTIONS_MAX {
            tracing::warn!(
                connections_max,
                "fewer connections than usual: the process may open few files (ulimit -n)"
            );
        }
        Self {
            header_within: HEADER_WITHIN,
            body_within: BODY_WITHIN,
            write_within: WRITE_WITHIN,
            connections_max,
        }
    }
}

/// Serve until `stop` is ready; then let the requests under way finish and close. A request carries the other side's address
/// as [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    // Made ready here, a clone is a count.
    let router = router.with_state(());
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let (stopping, _) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    // An answer is whole when it is written: nothing is gained by waiting for more.
                    let _ = stream.set_nodelay(true);
                    let (router, stopping) = (router.clone(), stopping.subscribe());
                    connections.spawn(async move {
                        connection(stream, peer, router, limits, stopping).await;
                        drop(place);
                    });
                }
                Err(_) => refuse(&stream),
            },
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// The client has gone before it was taken.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Refuse at once, without waiting for anything: the words go where there is room for them.
fn refuse(stream: &TcpStream) {
    let _ = stream.try_write(REFUSAL);
}

/// One connection, until either side ends it.
async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        // Sign-in counts failures by where they come from.
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(|body| Body::new(Timely::new(body, limits.body_within))))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_within)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.write_within)), service);
    tokio::pin!(connection);
    let stopped = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    // How it ends is the client's business.
    tokio::select! {
        _ = &mut connection => {}
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Bytes,
        routing::{get, post},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        sync::Notify,
        task::JoinHandle,
        time::Instant,
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits {
            header_within: 3 * SECOND,
            body_within: 10 * SECOND,
            write_within: 20 * SECOND,
            connections_max: 1,
        }
    }

    fn router() -> Router {
        Router::new()
            .route("/", get(async || "here"))
            .route("/large", get(async || vec![b'x'; 1_000_000]))
            .route("/length", post(async |body: Bytes| body.len().to_string()))
            .with_state(())
    }

    /// A connection in memory, on a clock that goes on when everybody waits.
    fn connected(bytes: usize) -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
        let (client, server) = duplex(bytes);
        let (stopping, receiver) = watch::channel(false);
        let served =
            tokio::spawn(connection(server, ([127, 0, 0, 1], 1).into(), router(), limits(), receiver));
        (client, served, stopping)
    }

    async fn rest(client: &mut DuplexStream) -> String {
        let mut text = String::new();
        // Whether it was closed or cut off.
        let _ = client.read_to_string(&mut text).await;
        text
    }

    async fn answer(client: &mut DuplexStream, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let mut byte = [0];
            client.read_exact(&mut byte).await.unwrap();
            text.push(char::from(byte[0]));
        }
        text
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_must_come_whole_in_its_time() {
        for sent in ["", "G", "GET / HTTP/1.1\r\nhost: a\r\n"] {
            let (mut client, served, _stopping) = connected(1_024);
            let began = Instant::now();
            client.write_all(sent.as_bytes()).await.unwrap();
            rest(&mut client).await;
            served.await.unwrap();
            assert_eq!(began.elapsed().as_secs(), 3, "{sent:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn letter_by_letter_gains_no_time_and_an_idle_connection_is_closed() {
        let (mut client, served, _stopping) = connected(1_024);
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(answer(&mut client, "here").await.starts_with("HTTP/1.1 200"));
        let began = Instant::now();
        for letter in b"GET / HTTP/1.1\r\nhost: a" {
            if client.write_all(&[*letter]).await.is_err() {
                break;
            }
            sleep(SECOND / 4).await;
        }
        served.await.unwrap();
        assert!(began.elapsed() <= 4 * SECOND, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_come_whole_in_its_time() {
        let (mut client, served, _stopping) = connected(1_024);
        client.write_all(b"POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n").await.unwrap();
        let began = Instant::now();
        let drip = async {
            // Each byte comes soon after the one before.
            while client.write_all(b"x").await.is_ok() && began.elapsed() < 60 * SECOND {
                sleep(SECOND).await;
            }
            rest(&mut client).await
        };
        let (text, served) = tokio::join!(drip, served);
        served.unwrap();
        assert!(text.starts_with("HTTP/1.1 400") || text.is_empty(), "{text}");
        assert!(began.elapsed() <= 12 * SECOND, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_must_be_taken_in_its_time() {
        let (mut client, served, _stopping) = connected(1_024);
        client.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let began = Instant::now();
        served.await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_beyond_the_buffer_is_refused() {
        let (mut client, served, _stopping) = connected(1_024);
        let header = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(BUFFER_BYTES));
        let sent = async {
            let (mut read, mut write) = tokio::io::split(&mut client);
            let mut text = String::new();
            let (_, _) = tokio::join!(write.write_all(header.as_bytes()), read.read_to_string(&mut text));
            text
        };
        assert!(sent.await.starts_with("HTTP/1.1 431"));
        drop(client);
        served.await.unwrap();
    }

    #[tokio::test]
    async fn beyond_the_limit_a_connection_is_refused_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, router(), limits(), async { drop(stopped.await) }));
        let first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        let mut text = String::new();
        second.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 503") && text.contains("too many connections"), "{text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        drop((first, stop));
        served.await.unwrap();
    }

    #[tokio::test]
    async fn requests_under_way_finish_and_idle_connections_are_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handler = {
            let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
            async move || {
                arrived.notify_one();
                go_on.notified().await;
                "done"
            }
        };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let limits = Limits { connections_max: 2, ..limits() };
        let router = Router::new().route("/", get(handler));
        let served = tokio::spawn(serve(listener, router, limits, async { drop(stopped.await) }));
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        arrived.notified().await;
        drop(stop);
        assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "closed");
        go_on.notify_one();
        let mut text = String::new();
        busy.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("done"), "{text}");
        served.await.unwrap();
    }
}
