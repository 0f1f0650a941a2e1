//! Ready-made commands that start a worker on another machine.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::Client;

/// Name of the container image; `packaging/docker` says how it is built.
const IMAGE: &str = "netwark/netwark";
/// Where a container keeps what has to outlive it.
const KEPT: &str = "/var/lib/netwark";

/// Where workers find this server: one of its public URLs, else the address this request was sent to. As
/// an extractor.
#[derive(Clone, Debug)]
pub(crate) struct ServerUrl(pub(crate) String);

impl FromRequestParts<App> for ServerUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let https = parts.extensions.get::<Client>().is_some_and(|client| client.https);
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse().ok());
        let host: Option<Authority> = parts.uri.authority().cloned().or(host);
        Ok(Self(app.auth.url(host.as_ref(), https)))
    }
}

/// Ways to start a worker, each to be copied as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Commands {
    /// For a shell; runs until it is ended.
    #[schema(example = "NETWARK_WORKER_TOKEN=nww_... netwark worker --server https://netwark.example")]
    pub shell: String,
    /// For a shell; installs a service that starts with the machine.
    pub systemd: String,
    /// For a shell; runs it in a container.
    pub docker: String,
    /// A `compose.yaml`.
    pub compose: String,
}

impl Commands {
    /// With this token, at this server. Neither holds a character that a shell, systemd or YAML would
    /// understand as anything but itself.
    pub fn new(server: &str, token: &str) -> Self {
        Self {
            shell: format!("NETWARK_WORKER_TOKEN={token} netwark worker --server {server}"),
            systemd: systemd(server, token),
            docker: format!(
                "docker run --detach --name netwark-worker --restart unless-stopped --network host \\\n  \
                 --cap-add NET_RAW --env NETWARK_WORKER_TOKEN={token} \\\n  \
                 --volume netwark-worker:{KEPT} {IMAGE} worker --server {server} --data-dir {KEPT}"
            ),
            compose: compose(server, token),
        }
    }
}

/// The command that pairs a worker with a code.
pub fn pair_command(server: &str, code: &str) -> String {
    format!("netwark worker --server {server} --code {code}")
}

fn systemd(server: &str, token: &str) -> String {
    // Trying again is of no use when the server does not want this worker (4), or nothing is understood (2).
    format!(
        "sudo install -d -m 755 /etc/netwark
echo NETWARK_WORKER_TOKEN={token} | sudo sh -c 'umask 077; cat > /etc/netwark/worker.env'
sudo tee /etc/systemd/system/netwark-worker.service > /dev/null <<'EOF'
[Unit]
Description=Netwark worker
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/netwark worker --server {server} --data-dir /var/lib/netwark-worker
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=/etc/netwark/worker.env
DynamicUser=yes
StateDirectory=netwark-worker
StateDirectoryMode=0700
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
Restart=always
RestartSec=5
RestartPreventExitStatus=2 4

[Install]
WantedBy=multi-user.target
EOF
sudo systemctl daemon-reload
sudo systemctl enable --now netwark-worker"
    )
}

fn compose(server: &str, token: &str) -> String {
    format!(
        "services:
  netwark-worker:
    image: {IMAGE}
    command: [\"worker\", \"--server\", \"{server}\", \"--data-dir\", \"{KEPT}\"]
    environment:
      NETWARK_WORKER_TOKEN: \"{token}\"
    cap_add: [NET_RAW]
    network_mode: host
    restart: unless-stopped
    volumes:
      - netwark-worker:{KEPT}
volumes:
  netwark-worker:
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_names_the_server_and_the_token() {
        let commands = Commands::new("https://netwark.example/sub", "nww_0123_abc-_");
        for way in [&commands.shell, &commands.systemd, &commands.docker, &commands.compose] {
            assert!(way.contains("https://netwark.example/sub") && way.contains("nww_0123_abc-_"), "{way}");
        }
        assert!(commands.systemd.contains("RestartPreventExitStatus=2 4"));
        assert!(commands.systemd.contains("AmbientCapabilities=CAP_NET_RAW"));
        assert!(commands.docker.contains("--cap-add NET_RAW"));
        // What a worker has to remember stands on the volume.
        for way in [&commands.docker, &commands.compose] {
            assert!(way.contains("netwark-worker:/var/lib/netwark"), "{way}");
        }
        assert!(commands.docker.ends_with("--data-dir /var/lib/netwark"));
        assert!(commands.compose.contains(r#""--data-dir", "/var/lib/netwark"]"#));
    }
}
