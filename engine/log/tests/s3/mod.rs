//! An S3 server on loopback, in a folder of the test's own.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use hyper::{Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{Body, auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use sluice_log::{LogError, ObjectSnapshots};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

const ACCESS_KEY: &str = "sluice-test";
const SECRET_KEY: &str = "sluice-test-secret";

/// What the server makes of requests.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// It answers them.
    Well,
    /// It has no time for so many.
    Unavailable { times: usize },
    /// It takes so many parts of uploads, and no more.
    TakesParts { most: usize },
}

impl Mood {
    /// The answer to a request that is not let through.
    fn spoils(&mut self, request: &Request<Incoming>) -> Option<StatusCode> {
        let is_part = request.method() == Method::PUT
            && request.uri().query().is_some_and(|query| query.contains("partNumber="));
        match self {
            Self::Unavailable { times } if *times > 0 => {
                *times -= 1;
                Some(StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::TakesParts { most: 0 } if is_part => Some(StatusCode::FORBIDDEN),
            Self::TakesParts { most } if is_part => {
                *most -= 1;
                None
            }
            _ => None,
        }
    }
}

/// A server with one bucket. Dropped, it ends.
pub struct Server {
    _folder: TempDir,
    _runtime: Runtime,
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    refused: Arc<AtomicUsize>,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bucket")).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, refused) = (Arc::new(Mutex::new(Mood::Well)), Arc::new(AtomicUsize::new(0)));
        let (moods, refusals) = (Arc::clone(&mood), Arc::clone(&refused));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (service, moods, refusals) = (service.clone(), Arc::clone(&moods), Arc::clone(&refusals));
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (service, spoilt) = (service.clone(), moods.lock().unwrap().spoils(&request));
                    refusals.fetch_add(usize::from(spoilt.is_some()), Ordering::Relaxed);
                    async move {
                        match spoilt {
                            Some(status) => {
                                Ok(Response::builder().status(status).body(Body::empty()).unwrap())
                            }
                            None => service.call(request.map(Body::from)).await,
                        }
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(socket), answer));
            }
        });
        Self { _folder: folder, _runtime: runtime, address, mood, refused }
    }

    /// What becomes of requests from here on.
    pub fn answers(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How many requests were not let through.
    pub fn has_refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    pub fn open(&self, url: &str) -> Result<ObjectSnapshots, LogError> {
        self.open_as(ACCESS_KEY, url)
    }

    pub fn open_as(&self, access_key: &str, url: &str) -> Result<ObjectSnapshots, LogError> {
        let endpoint = format!("http://{}", self.address);
        ObjectSnapshots::open_with(
            url,
            &[
                ("AWS_ENDPOINT_URL", &endpoint),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", access_key),
                ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ],
        )
    }
}
