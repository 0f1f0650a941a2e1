//! Bringing files of data: from a URL or from a file, whole or not at all.
//!
//! A source is named in the configuration, so it may be a mirror inside one's own network, and the usual variables of
//! a proxy count. What is fetched replaces the last good file only once it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Client, StatusCode, Url};

use crate::outbound::USER_AGENT;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `http://` or `https://`.
    Web(Url),
    /// A path, or `file://`.
    File(PathBuf),
}

impl Location {
    /// A file below a place, its path with slashes; nothing where a URL can have nothing below it.
    pub fn below(&self, file: &str) -> Option<Self> {
        Some(match self {
            Self::File(directory) => Self::File(directory.join(file)),
            Self::Web(url) => {
                let mut url = url.clone();
                url.path_segments_mut().ok()?.pop_if_empty().extend(file.split('/'));
                Self::Web(url)
            }
        })
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::File(text.into()));
        }
        let url = Url::parse(text).map_err(|_| format!("'{text}' is neither a URL nor an absolute path"))?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Web(url)),
            "file" => url.to_file_path().map(Self::File).map_err(|()| format!("'{text}' names no file")),
            other => Err(format!("'{text}': {other} is not fetched; use https, http or a path")),
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // A key may stand in the query or before the host; it is not for logs.
            Self::Web(url) => {
                let mut shown = url.clone();
                let _ = shown.set_password(None);
                let _ = shown.set_username("");
                shown.set_query(None);
                shown.fmt(f)
            }
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why a file was not brought. The last good one is untouched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server could not be asked, or the connection broke.
    #[error("{location} cannot be fetched: {why}")]
    Unreachable {
        /// Where from.
        location: String,
        /// What happened.
        why: String,
    },
    /// It answered with something else.
    #[error("{location} answers {status}")]
    Status {
        /// Where from.
        location: String,
        /// The status of HTTP.
        status: StatusCode,
    },
    /// Nothing is in it.
    #[error("{0} is empty")]
    Empty(String),
    /// It is larger than such a file can be.
    #[error("{location} is larger than {largest} bytes")]
    TooLarge {
        /// Where from.
        location: String,
        /// The bound, in bytes.
        largest: u64,
    },
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The source has what was known before.
    Unchanged,
    /// A new file.
    New {
        /// Its size in bytes.
        bytes: u64,
        /// The mark to say next time.
        etag: Option<String>,
        /// When the source changed last, as it says.
        modified: Option<String>,
    },
}

/// Fetches a file to a path that nobody reads yet, at most `largest` bytes of it. `known` is the mark of the last
/// time, with which a server can say that nothing changed.
///
/// # Errors
/// When it is not there, empty, too large, or breaks off. Nothing is left behind then.
pub async fn fetch(
    location: &Location,
    known: Option<&str>,
    into: &Path,
    largest: u64,
) -> Result<Fetched, FetchError> {
    let fetched = match location {
        Location::Web(url) => download(url, location, known, into, largest).await,
        Location::File(path) => copy(path, into, largest),
    };
    if !matches!(fetched, Ok(Fetched::New { .. })) {
        let _ = fs::remove_file(into);
    }
    fetched
}

async fn download(
    url: &Url,
    location: &Location,
    known: Option<&str>,
    into: &Path,
    largest: u64,
) -> Result<Fetched, FetchError> {
    let unreachable = |error: reqwest::Error| FetchError::Unreachable {
        location: location.to_string(),
        why: causes(&error.without_url()),
    };
    let too_large = || FetchError::TooLarge { location: location.to_string(), largest };
    let client = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_WITHIN)
        .read_timeout(SILENCE)
        .build()
        .map_err(unreachable)?;
    let mut request = client.get(url.clone());
    if let Some(mark) = known {
        request = request.header(IF_NONE_MATCH, mark);
    }
    let mut response = request.send().await.map_err(unreachable)?;
    if response.status() == StatusCode::NOT_MODIFIED && known.is_some() {
        return Ok(Fetched::Unchanged);
    }
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status { location: location.to_string(), status: response.status() });
    }
    if response.content_length().is_some_and(|length| length > largest) {
        return Err(too_large());
    }
    let header = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let (etag, modified) = (header(ETAG), header(LAST_MODIFIED));
    let mut file = File::create(into).map_err(|error| file_error(into, error))?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        bytes += chunk.len() as u64;
        if bytes > largest {
            return Err(too_large());
        }
        file.write_all(&chunk).map_err(|error| file_error(into, error))?;
    }
    if bytes == 0 {
        return Err(FetchError::Empty(location.to_string()));
    }
    file.sync_all().map_err(|error| file_error(into, error))?;
    Ok(Fetched::New { bytes, etag, modified })
}

fn copy(from: &Path, into: &Path, largest: u64) -> Result<Fetched, FetchError> {
    let size = fs::metadata(from).map_err(|error| file_error(from, error))?.len();
    if size > largest {
        return Err(FetchError::TooLarge { location: from.display().to_string(), largest });
    }
    let bytes = fs::copy(from, into).map_err(|error| file_error(from, error))?;
    if bytes == 0 {
        return Err(FetchError::Empty(from.display().to_string()));
    }
    File::open(into).and_then(|file| file.sync_all()).map_err(|error| file_error(into, error))?;
    Ok(Fetched::New { bytes, etag: None, modified: None })
}

/// Puts a complete file in the place of another at once; whoever reads sees the one or the other.
///
/// # Errors
/// When the directory cannot be written.
pub fn put_in_place(new: &Path, place: &Path) -> Result<(), FetchError> {
    fs::rename(new, place).map_err(|error| file_error(place, error))?;
    let directory = place.parent().unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| file_error(place, error))
}

fn file_error(path: &Path, error: io::Error) -> FetchError {
    FetchError::File { path: path.display().to_string(), error }
}

/// An error with its root: the first line of a client's errors says little, and those between say how it is built.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let root = iter::successors(error.source(), |cause| cause.source()).last();
    match root.map(ToString::to_string) {
        Some(root) if !text.contains(&root) => format!("{text}: {root}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static [u8]) -> Location {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 2048]).await;
                let _ = stream.write_all(answer).await;
            }
        });
        format!("http://{place}/data").parse().unwrap()
    }

    #[test]
    fn locations() {
        assert_eq!("/srv/oui.csv".parse(), Ok(Location::File("/srv/oui.csv".into())));
        assert_eq!("file:///srv/oui.csv".parse(), Ok(Location::File("/srv/oui.csv".into())));
        let web: Location = "https://me:secret@mirror.example/x?key=secret".parse().unwrap();
        assert_eq!(web.to_string(), "https://mirror.example/x");
        for wrong in ["oui.csv", "ftp://mirror.example/x", ""] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_is_complete_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let into = directory.path().join("new");
        let answer = b"HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 3\r\n\r\nabc";
        let fetched = fetch(&answering(answer).await, None, &into, 10).await.unwrap();
        assert_eq!(fetched, Fetched::New { bytes: 3, etag: Some("\"1\"".into()), modified: None });
        let place = directory.path().join("place");
        put_in_place(&into, &place).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "abc");
        let again = fetch(&Location::File(place), None, &into, 10).await.unwrap();
        assert_eq!(again, Fetched::New { bytes: 3, etag: None, modified: None });
    }

    #[tokio::test]
    async fn what_is_not_complete_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let into = directory.path().join("new");
        let cases: [(&'static [u8], &str); 6] = [
            (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "answers 404"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "is empty"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nabc", "larger than 10"),
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n14\r\naaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\n", "larger than 10"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "cannot be fetched"),
            (b"nonsense\r\n\r\n", "cannot be fetched"),
        ];
        for (answer, expected) in cases {
            let error = fetch(&answering(answer).await, None, &into, 10).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!into.exists(), "{expected}");
        }
        let unchanged = answering(b"HTTP/1.1 304 Not Modified\r\n\r\n").await;
        assert_eq!(fetch(&unchanged, Some("\"1\""), &into, 10).await.unwrap(), Fetched::Unchanged);
        let missing = Location::File("/nowhere/oui.csv".into());
        assert!(fetch(&missing, None, &into, 10).await.unwrap_err().to_string().contains("/nowhere/oui.csv"));
    }
}
