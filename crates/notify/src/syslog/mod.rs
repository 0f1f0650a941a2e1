//! Syslog: one message for each event (RFC 5424), over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425).
//!
//! No transport of syslog says that a message was stored. Over TCP and TLS the notice counts as taken when the server
//! has closed the connection in order behind it, or has said nothing against it for a while.

mod message;
mod transport;

use netwark_model::channels::config::{Syslog, SyslogTransport};
use tokio::time::timeout;

use crate::outcome::{Accepted, Failure};
use crate::sender::Options;
use crate::tls::Tls;
use crate::view::View;

/// Most bytes of a datagram: what every server should take (RFC 5426 section 3.2).
const LONGEST_DATAGRAM: usize = 2048;
/// Most bytes of a message in a stream: what every server should take (RFC 5425 section 4.3.1).
const LONGEST_MESSAGE: usize = 8192;

pub(crate) async fn deliver(
    config: &Syslog,
    view: &View,
    options: &Options,
    tls: &Tls,
) -> Result<Accepted, Failure> {
    let longest = match config.transport {
        SyslogTransport::Udp => LONGEST_DATAGRAM,
        SyslogTransport::Tcp | SyslogTransport::Tls => LONGEST_MESSAGE,
    };
    let messages = message::messages(view, config.facility, &options.hostname, longest);
    let (server, port) = (config.server.as_str(), config.port());
    let sending = async {
        match config.transport {
            SyslogTransport::Udp => transport::udp(server, port, &messages).await,
            SyslogTransport::Tcp => transport::tcp(server, port, &messages).await,
            SyslogTransport::Tls => transport::tls(server, port, &messages, tls).await,
        }
    };
    let silent = |_| Failure::later(format!("{server} took too long"));
    timeout(options.timeout, sending).await.map_err(silent)??;
    let (count, s) = (messages.len(), if messages.len() == 1 { "" } else { "s" });
    Ok(Accepted::new(&match config.transport {
        SyslogTransport::Udp => format!("sent {count} datagram{s}; nobody says whether they arrived"),
        SyslogTransport::Tcp | SyslogTransport::Tls => format!("sent {count} message{s}"),
    }))
}
