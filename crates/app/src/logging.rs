//! What the program says about itself: to standard error, so that standard output stays for answers, or to a
//! file that is opened anew when somebody has moved it away.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Identity, Layer, Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::log::{Format, Log};
use crate::failure::Failure;

type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
type Lines = Layered<Box<dyn Layer<Filtered> + Send + Sync>, Filtered>;

/// The log of this process, for changing it while it runs.
#[derive(Clone, Debug)]
pub struct Handle {
    filter: reload::Handle<EnvFilter, Registry>,
    output: Output,
}

/// Starts writing lines as the configuration says, and sending spans where the environment says.
///
/// # Errors
/// When the file cannot be opened, or spans cannot be sent there.
pub fn start(log: &Log) -> Result<Handle, Failure> {
    #[cfg(feature = "otel")]
    let spans = crate::traces::layer().map_err(Failure::Failed)?;
    #[cfg(not(feature = "otel"))]
    let spans = None::<Identity>;
    begin(log, spans)
}

fn begin(log: &Log, spans: Option<impl Layer<Lines> + Send + Sync>) -> Result<Handle, Failure> {
    let output = Output(Arc::new(RwLock::new(open(log.file.as_deref())?)));
    let (filter, handle) = reload::Layer::new(filter(log));
    let lines = tracing_subscriber::fmt::layer().with_writer(output.clone());
    let to_terminal = log.file.is_none() && io::stderr().is_terminal();
    let lines = match log.format {
        Format::Text => lines.with_ansi(to_terminal).with_target(false).boxed(),
        Format::Json => lines.json().with_span_list(false).boxed(),
    };
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(spans).try_init();
    Ok(Handle { filter: handle, output })
}

/// Starts writing only what is wrong, for commands whose answer is their output.
pub fn start_quiet() {
    let log = Log { filter: "warn,lapin=off".into(), format: Format::Text, file: None };
    // Only a file can fail.
    let _ = begin(&log, None::<Identity>);
}

impl Handle {
    /// Lets other lines through from now on, and opens the file anew. The format stays as it is.
    ///
    /// # Errors
    /// When the file cannot be opened; lines then go where they went before.
    pub fn change(&self, log: &Log) -> Result<(), Failure> {
        let opened = open(log.file.as_deref())?;
        *self.output.0.write().unwrap_or_else(PoisonError::into_inner) = opened;
        self.filter.reload(filter(log)).map_err(Failure::failed)
    }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Where lines go.
#[derive(Clone, Debug)]
struct Output(Arc<RwLock<Sink>>);

#[derive(Clone, Debug)]
enum Sink {
    Stderr,
    File(Arc<File>),
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Sink;

    fn make_writer(&'a self) -> Sink {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stderr => io::stderr().write(bytes),
            Self::File(file) => file.as_ref().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stderr => io::stderr().flush(),
            Self::File(file) => file.as_ref().flush(),
        }
    }
}

/// Opens the file for appending. One that is made can be read by its group, as logs usually are.
fn open(path: Option<&Path>) -> Result<Sink, Failure> {
    let Some(path) = path else { return Ok(Sink::Stderr) };
    let failed = |error: io::Error| {
        Failure::Failed(format!("log.file: {} cannot be written: {error}", path.display()))
    };
    let made = OpenOptions::new().append(true).create_new(true).mode(0o640).open(path);
    let file = match made {
        Ok(file) => {
            // The mask of a server is stricter.
            file.set_permissions(PermissionsExt::from_mode(0o640)).map_err(failed)?;
            file
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(path).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    };
    Ok(Sink::File(Arc::new(file)))
}
