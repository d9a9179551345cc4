//! Snapshots in an object store: S3, or what speaks as S3 does.
//!
//! An object is there whole under its name or not at all: what takes more than one request is a multipart upload, which nobody
//! sees before it is complete. What is read is of one upload; whether it is what was written, the snapshot's own checksum says.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{
    BackoffConfig, ClientConfigKey, Error, GetOptions, GetRange, MultipartUpload, ObjectStore,
    ObjectStoreExt, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum},
    path::Path,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

use crate::{
    LogError, Offset, Snapshots,
    snapshots::{file_name, offset_of},
};

/// The most bytes of one request: what a slow line takes within [`ANSWER_WITHIN`], and more than S3 asks of a part at the least
/// (5 MiB). S3 takes 10,000 parts, 78 GiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Requests for parts of one snapshot at once.
const PARTS_AT_ONCE: usize = 4;
/// How long one request and its body may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// How often a request is sent again that a store has no time for, or does not answer.
const RETRIES_MAX: usize = 6;
/// How long a request is sent again at the most: the stage goes on meanwhile, and has its next snapshot soon.
const RETRY_WITHIN: Duration = Duration::from_secs(30);
/// What S3 calls a refusal of whoever asks.
const REFUSALS: &[&str] = &["AccessDenied", "InvalidAccessKeyId", "NotSignedUp", "SignatureDoesNotMatch"];
const NOT_LET_IN: &str = "the credentials of the environment are not let in";
/// What is written at the start, to see whether anything can be.
const PROBE: &str = "sluice";

/// Snapshots as objects, each under its offset: `<prefix>/<name>/<offset>.snapshot`.
pub struct ObjectSnapshots {
    place: String,
    prefix: Path,
    store: Arc<dyn ObjectStore>,
    /// Requests are made here; whoever asks waits. `None`: it ends.
    runtime: Option<Runtime>,
}

impl ObjectSnapshots {
    /// Snapshots under `s3://BUCKET/PREFIX`. Credentials, region and endpoint are those of the environment, by the names that
    /// AWS gives them.
    ///
    /// # Errors
    /// When nothing can be read or kept there: no such bucket, wrong credentials, nobody who answers.
    pub fn open(url: &str) -> Result<Self, LogError> {
        Self::build(AmazonS3Builder::from_env(), url)
    }

    /// The same, with settings of these names in place of the environment's.
    ///
    /// # Errors
    /// As [`ObjectSnapshots::open`], and when a name is unknown.
    pub fn open_with(url: &str, settings: &[(&str, &str)]) -> Result<Self, LogError> {
        let mut builder = AmazonS3Builder::new();
        for (name, value) in settings {
            let key: AmazonS3ConfigKey =
                name.to_ascii_lowercase().parse().map_err(|error: Error| refused(url, error))?;
            builder = builder.with_config(key, *value);
        }
        Self::build(builder, url)
    }

    fn build(builder: AmazonS3Builder, url: &str) -> Result<Self, LogError> {
        let (bucket, prefix) = bucket_and_prefix(url).map_err(|reason| refused(url, reason))?;
        // Another part of the process may have chosen one already: it is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let within = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
        let store = builder
            .with_bucket_name(bucket)
            .with_config(within, format!("{} seconds", ANSWER_WITHIN.as_secs()))
            .with_checksum_algorithm(Checksum::SHA256)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_WITHIN,
            })
            .build()
            .map_err(|error| refused(url, error))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("object-store")
            .enable_all()
            .build()
            .map_err(|error| refused(url, error))?;
        let (place, prefix) = (url.to_owned(), Path::from(prefix));
        let snapshots = Self { place, prefix, store: Arc::new(store), runtime: Some(runtime) };
        snapshots.check()?;
        Ok(snapshots)
    }

    /// Whether the store can be read from and written to.
    fn check(&self) -> Result<(), LogError> {
        self.ask(async |store| {
            store.list_with_delimiter(Some(&self.prefix)).await?;
            store.put(&self.prefix.clone().join(PROBE), Bytes::new().into()).await
        })
        .map(drop)
    }

    /// Have something done in the store, and wait for it.
    fn ask<T>(
        &self,
        request: impl AsyncFnOnce(Arc<dyn ObjectStore>) -> object_store::Result<T>,
    ) -> Result<T, LogError> {
        let runtime = self.runtime.as_ref().ok_or(LogError::Closed)?;
        runtime.block_on(request(Arc::clone(&self.store))).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> LogError {
        let text = error.to_string();
        // Of a listing that is refused, only what S3 calls it says why.
        let says = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
        let reason = match error {
            _ if says(&["NoSuchBucket"]) => "there is no such bucket".to_owned(),
            Error::NotFound { .. } => "the object, or its bucket, is not there".to_owned(),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => NOT_LET_IN.to_owned(),
            _ if says(REFUSALS) => NOT_LET_IN.to_owned(),
            _ => text,
        };
        refused(&self.place, reason)
    }

    fn folder(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    fn path(&self, name: &str, offset: Offset) -> Path {
        self.folder(name).join(file_name(offset))
    }
}

impl Snapshots for ObjectSnapshots {
    fn put(&self, name: &str, offset: Offset, bytes: Vec<u8>) -> Result<(), LogError> {
        let path = self.path(name, offset);
        self.ask(async |store| upload(&*store, &path, bytes.into()).await)
    }

    fn offsets(&self, name: &str) -> Result<Vec<Offset>, LogError> {
        let folder = self.folder(name);
        let listed = self.ask(async |store| store.list_with_delimiter(Some(&folder)).await)?;
        let mut offsets: Vec<Offset> =
            listed.objects.iter().filter_map(|object| offset_of(object.location.filename()?)).collect();
        offsets.sort_unstable_by(|a, b| b.cmp(a));
        Ok(offsets)
    }

    fn get(&self, name: &str, offset: Offset) -> Result<Vec<u8>, LogError> {
        let path = self.path(name, offset);
        self.ask(async |store| download(store, &path).await)
    }

    fn prune(&self, name: &str, keep: usize) -> Result<(), LogError> {
        for offset in self.offsets(name)?.into_iter().skip(keep) {
            let path = self.path(name, offset);
            match self.ask(async |store| Ok(store.delete(&path).await))? {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(())
    }
}

impl Drop for ObjectSnapshots {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Nobody waits for an answer any more: all requests were waited for.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for ObjectSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectSnapshots").field("place", &self.place).finish_non_exhaustive()
    }
}

fn refused(url: &str, reason: impl ToString) -> LogError {
    LogError::Snapshots { place: url.to_owned(), reason: reason.to_string() }
}

/// What an address names.
fn bucket_and_prefix(url: &str) -> Result<(&str, &str), String> {
    let named = url.strip_prefix("s3://").ok_or("an object store is named s3://BUCKET/PREFIX")?;
    let (bucket, prefix) = named.split_once('/').unwrap_or((named, ""));
    if bucket.is_empty() { Err("no bucket is named".to_owned()) } else { Ok((bucket, prefix)) }
}

/// The parts that so many bytes are divided into.
fn parts(bytes: usize) -> impl Iterator<Item = Range<usize>> {
    (0..bytes).step_by(PART_BYTES).map(move |from| from..bytes.min(from + PART_BYTES))
}

/// Put an object in its place, which has it whole or not at all.
async fn upload(store: &dyn ObjectStore, path: &Path, bytes: Bytes) -> object_store::Result<()> {
    if bytes.len() <= PART_BYTES {
        return store.put(path, bytes.into()).await.map(drop);
    }
    let mut upload = store.put_multipart(path).await?;
    match send_parts(&mut *upload, &bytes).await {
        Ok(()) => upload.complete().await.map(drop),
        Err(error) => {
            // Where that fails too, the store holds parts that nobody sees.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

async fn send_parts(upload: &mut dyn MultipartUpload, bytes: &Bytes) -> object_store::Result<()> {
    let mut under_way = JoinSet::new();
    for part in parts(bytes.len()) {
        if under_way.len() >= PARTS_AT_ONCE {
            joined(under_way.join_next().await)?;
        }
        under_way.spawn(upload.put_part(bytes.slice(part).into()));
    }
    while let Some(sent) = under_way.join_next().await {
        joined(Some(sent))?;
    }
    Ok(())
}

/// An object as it was when it was asked for first: one that is replaced meanwhile is an error.
async fn download(store: Arc<dyn ObjectStore>, path: &Path) -> object_store::Result<Vec<u8>> {
    let object = store.head(path).await?;
    let size = usize::try_from(object.size).unwrap_or(usize::MAX);
    let (mut whole, mut under_way) = (vec![0; size], JoinSet::new());
    for part in parts(size) {
        if under_way.len() >= PARTS_AT_ONCE {
            place(&mut whole, joined(under_way.join_next().await)?);
        }
        let (store, path, if_match) = (Arc::clone(&store), path.clone(), object.e_tag.clone());
        under_way.spawn(async move {
            let range = Some(GetRange::Bounded(part.start as u64..part.end as u64));
            let got = store.get_opts(&path, GetOptions { range, if_match, ..GetOptions::default() }).await?;
            Ok((part, got.bytes().await?))
        });
    }
    while let Some(got) = under_way.join_next().await {
        place(&mut whole, joined(Some(got))?);
    }
    Ok(whole)
}

/// Put what was read where it belongs. Less than was asked for is found by the snapshot's checksum.
fn place(whole: &mut [u8], got: Option<(Range<usize>, Bytes)>) {
    if let Some((part, bytes)) = got {
        whole[part].iter_mut().zip(&bytes[..]).for_each(|(to, from)| *to = *from);
    }
}

/// What came of a request.
fn joined<T>(
    ended: Option<Result<object_store::Result<T>, tokio::task::JoinError>>,
) -> object_store::Result<Option<T>> {
    match ended {
        None => Ok(None),
        Some(Ok(result)) => result.map(Some),
        Some(Err(error)) => Err(Error::JoinError { source: error }),
    }
}
