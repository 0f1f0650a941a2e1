//! Where the server listens: TCP ports and Unix sockets, with a remedy for each way to fail.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use netwark_server::Listener;
use netwark_server::listen::Tls;
use netwark_server::listen::certificate::Certificate;
use tokio::net::{TcpListener, UnixListener};

use crate::config::server::{Listen, Server};
use crate::failure::Failure;
use crate::port;

/// What the server listens on.
#[derive(Debug)]
pub struct Listening {
    /// Each place.
    pub listeners: Vec<Listener>,
    /// Where they are; a port 0 is the one that was given.
    pub places: Vec<Listen>,
    /// The certificate of the TCP ports, for replacing it.
    pub tls: Option<Tls>,
    /// Files to remove at the end.
    pub sockets: Vec<SocketFile>,
}

/// A socket's file, removed when this is dropped if it is still the same.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let same = std::fs::metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if same && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "a socket could not be removed");
        }
    }
}

/// Listens wherever the configuration says.
///
/// # Errors
/// Says which place or file is the matter and what would help. Nothing is left behind then.
pub async fn listen(server: &Server) -> Result<Listening, Failure> {
    let tls = match &server.tls {
        Some(files) => {
            let certificate = Certificate::load(&files.certificate, &files.key).map_err(Failure::failed)?;
            Some(Tls::new(&certificate).map_err(Failure::failed)?)
        }
        None => None,
    };
    let mut listening = Listening { listeners: Vec::new(), places: Vec::new(), tls, sockets: Vec::new() };
    for place in &server.listen {
        match place {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await.map_err(|error| no_port(*address, &error))?;
                let address = listener.local_addr().map_err(Failure::failed)?;
                listening.places.push(Listen::Tcp(address));
                listening.listeners.push(match &listening.tls {
                    Some(tls) => Listener::tls(listener, tls.clone()),
                    None => Listener::tcp(listener),
                });
            }
            Listen::Unix(path) => {
                let (listener, file) = socket(path)?;
                listening.places.push(place.clone());
                listening.sockets.push(file);
                listening.listeners.push(Listener::unix(listener));
            }
        }
    }
    Ok(listening)
}

fn no_port(address: std::net::SocketAddr, error: &io::Error) -> Failure {
    let remedy = match (error.kind(), port::holder(address)) {
        (io::ErrorKind::AddrInUse, Some(holder)) => {
            &format!("{holder} listens there; stop it, or choose another port with --listen")
        }
        (io::ErrorKind::AddrInUse, None) => {
            "another program listens there; stop it, or choose another port with --listen"
        }
        (io::ErrorKind::PermissionDenied, _) => {
            "ports below 1024 need privileges; choose another with --listen"
        }
        (io::ErrorKind::AddrNotAvailable, _) => {
            "this machine has no such address; choose another with --listen"
        }
        _ => "choose another address with --listen",
    };
    Failure::Failed(format!("cannot listen on {address}: {error}; {remedy}"))
}

/// A Unix socket for its owner and its group, in the place of one that nobody listens on any more.
fn socket(path: &Path) -> Result<(UnixListener, SocketFile), Failure> {
    let failed = |why: String, remedy: &str| {
        Failure::Failed(format!("cannot listen on unix:{}: {why}; {remedy}", path.display()))
    };
    match stale(path) {
        Ok(false) => {}
        Ok(true) => std::fs::remove_file(path)
            .map_err(|error| failed(error.to_string(), "remove that file, or choose another path"))?,
        Err(why) => return Err(failed(why, "stop that program, or choose another path in server.listen")),
    }
    let remedy = "choose a path in a directory that this user may write, in server.listen";
    let listener = UnixListener::bind(path).map_err(|error| failed(error.to_string(), remedy))?;
    let made = std::fs::set_permissions(path, PermissionsExt::from_mode(0o660))
        .and_then(|()| std::fs::metadata(path))
        .map_err(|error| failed(error.to_string(), remedy))?;
    Ok((listener, SocketFile { path: path.into(), inode: made.ino() }))
}

/// True when a socket lies there that nobody listens on.
///
/// # Errors
/// When somebody does, or something else lies there; says which.
pub fn stale(path: &Path) -> Result<bool, String> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        // Whatever keeps it from being looked at keeps it from being made, and is told then.
        Err(_) => return Ok(false),
        Ok(file) if !file.file_type().is_socket() => return Err("a file that is no socket is there".into()),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("a program listens there".into()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(true),
        Err(error) => Err(format!("a socket is there that cannot be asked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::server::TlsFiles;

    fn server(listen: Vec<Listen>) -> Server {
        Server { listen, tls: None, ..crate::config::server::tests::server() }
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let settings = server(vec![Listen::Unix(path.clone())]);
        // Dropping a listener leaves its file, as a killed server does.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = listen(&settings).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let told = listen(&settings).await.unwrap_err().to_string();
        assert!(told.contains("a program listens there"), "{told}");
        drop(first);
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        let told = listen(&settings).await.unwrap_err().to_string();
        assert!(told.contains("no socket"), "{told}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn several_places_at_once() {
        let any = Listen::Tcp("127.0.0.1:0".parse().unwrap());
        let listening = listen(&server(vec![any.clone(), any])).await.unwrap();
        let [Listen::Tcp(one), Listen::Tcp(two)] = listening.places[..] else { panic!("{listening:?}") };
        assert!(one.port() != 0 && one.port() != two.port());
    }

    #[tokio::test]
    async fn a_certificate_that_is_missing_is_told() {
        let files = TlsFiles { certificate: "/nonexistent/c.pem".into(), key: "/nonexistent/k.pem".into() };
        let settings = Server { tls: Some(files), ..server(Vec::new()) };
        let told = listen(&settings).await.unwrap_err().to_string();
        assert!(told.contains("/nonexistent/c.pem"), "{told}");
    }
}
