//! Behind nginx, with the samples that are shipped.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Pair, Server, block_on, configure, free_address, home, netwark, run, skip, text, wait_until};

const NGINX: &str = "/usr/sbin/nginx";
/// Long enough for a debug build on a busy machine; nothing is timed by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// nginx with one of our samples, killed when it is dropped.
struct Nginx {
    process: Child,
    _directory: TempDir,
}

impl Nginx {
    /// Starts it on `listen` before `server`. None where there is no nginx, which only a person may lack.
    fn start(sample: &str, pair: &Pair, listen: &str, server: &str) -> Option<Self> {
        if !Path::new(NGINX).exists() {
            skip(&format!("{NGINX} is missing"));
            return None;
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/proxy").join(sample);
        let mut site = std::fs::read_to_string(file).unwrap();
        // As a person would: the address, the server, the certificate.
        site = replaced(&site, "listen 443 ssl;", &format!("listen {listen} ssl;"));
        site = replaced(&site, "server 127.0.0.1:6543;", &format!("server {server};"));
        for (word, path) in [("ssl_certificate ", pair.certificate()), ("ssl_certificate_key ", pair.key())] {
            let line = site.lines().find(|line| line.trim_start().starts_with(word)).unwrap().to_owned();
            site = replaced(&site, &line, &format!("{word}{};", path.display()));
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().display();
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let main = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log; {user}\nevents {{}}\n\
             http {{ access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy;\n\
             fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;\n{site}}}\n"
        );
        let config = directory.path().join("nginx.conf");
        std::fs::write(&config, main).unwrap();
        let process = Command::new(NGINX)
            .args(["-p", &root.to_string(), "-c", &config.display().to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut nginx = Self { process, _directory: directory };
        wait_until("nginx", || {
            assert!(nginx.process.try_wait().unwrap().is_none(), "nginx refuses {sample}");
            std::net::TcpStream::connect(listen).is_ok()
        });
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn replaced(text: &str, what: &str, with: &str) -> String {
    assert!(text.contains(what), "the sample has no '{what}'");
    text.replace(what, with)
}

/// Reads events until one says that the operation has ended; returns how many came before it.
async fn events_until_the_end(client: &Client, url: &str, token: &str) -> usize {
    let answer = client.get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = answer.bytes_stream();
    let mut seen = String::new();
    while let Some(bytes) = stream.next().await {
        seen.push_str(&String::from_utf8_lossy(&bytes.unwrap()));
        let before = seen.matches("\"status\":\"progress\"").count();
        if seen.contains("\"status\":\"done\"") {
            return before;
        }
    }
    panic!("the stream ended before the operation: {seen}");
}

/// What a browser and a program do, through a proxy at `base`.
async fn use_it(client: &Client, base: &str, token: &str, prefix: &str) {
    let page = client.get(format!("{base}/operations")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    let html = page.text().await.unwrap();
    if html.contains("_app/") {
        assert!(html.contains(&format!("base: \"{prefix}\"")), "{html}");
        let asset =
            html.split("href=\"").find_map(|part| part.split('"').next().filter(|p| p.ends_with(".js")));
        let origin = base.strip_suffix(prefix).unwrap();
        let script = client.get(format!("{origin}{}", asset.unwrap())).send().await.unwrap();
        assert_eq!(script.status(), StatusCode::OK);
        assert!(policy.contains("'sha256-"), "{policy}");
    }
    let docs = client.get(format!("{base}/api/docs")).send().await.unwrap();
    assert_eq!(docs.status(), StatusCode::OK, "{}", docs.url());
    assert!(docs.url().as_str().ends_with(&format!("{prefix}/api/docs/")), "{}", docs.url());

    let body =
        json!({ "type": "ping", "target": "127.0.0.1", "options": { "count": 8, "interval_ms": 200 } });
    let api = format!("{base}/api/v1");
    let made = client.post(format!("{api}/operations")).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let location = made.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{prefix}/api/v1/operations/")), "{location}");
    let id = made.json::<Value>().await.unwrap()["operation_id"].as_str().unwrap().to_owned();
    let early = events_until_the_end(client, &format!("{api}/operations/{id}/events"), token).await;
    assert!(early > 0, "the proxy held the events back until the end");
}

fn behind_nginx(sample: &str, name: &str, prefix: &str) {
    // A worker looks the name up, and this is one that every machine knows.
    let pair = Pair::new(&[name, "localhost"]);
    let (front, back) = (free_address(), free_address());
    let port = front.rsplit_once(':').unwrap().1;
    let base = format!("https://{name}:{port}{prefix}");
    let link = format!("https://localhost:{port}{prefix}");
    let home = home();
    configure(
        home.path(),
        &format!(
            "[server]\npublic_urls = ['{base}', '{link}']\ntrusted_proxies = ['127.0.0.1']\n[auth]\nanonymous_role = 'viewer'\n"
        ),
    );
    let Some(_nginx) = Nginx::start(sample, &pair, &front, &back) else { return };
    let server = Server::start_as(&home, &["serve", "--listen", &back], base.clone());
    let token = text(&run(&home, &["token", "create", "ops", "--role", "operator"]).stdout);
    let client = pair.client(name, &front);
    block_on(async {
        use_it(&client, &base, token.trim(), prefix).await;
        // What a stranger asks through the proxy is not asked by this machine.
        let metrics = client.get(format!("{base}/metrics")).send().await.unwrap();
        assert_eq!(metrics.status(), StatusCode::OK, "a viewer may read them");
        sign_in(&client, &base, prefix, &home).await;
        a_worker_links_through_it(&client, &base, &link, &pair, &home).await;
    });
    assert_eq!(server.stop(), Some(0));
}

/// A worker that knows the address of the proxy and trusts its certificate comes and measures.
async fn a_worker_links_through_it(client: &Client, base: &str, link: &str, pair: &Pair, home: &TempDir) {
    let elsewhere = super::home();
    let worker_token = text(&run(home, &["workers", "create", "elsewhere"]).stdout);
    let mut worker = netwark(elsewhere.path(), &["worker", "--server", link]);
    worker
        .env("NETWARK_WORKER_TOKEN", worker_token.trim())
        .env("NETWARK_WORKER__CA_FILE", pair.certificate());
    let process = worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _worker = super::Server { process, url: link.to_owned() };
    let token = text(&run(home, &["token", "create", "through", "--role", "operator"]).stdout);
    let api = format!("{base}/api/v1");
    let get = async |path: &str| {
        let answer = client.get(format!("{api}{path}")).bearer_auth(token.trim()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    let body = json!({ "type": "ping", "target": "127.0.0.1", "options": {"count": 1}, "from": "elsewhere" });
    let began = Instant::now();
    let id = loop {
        let made = client
            .post(format!("{api}/operations"))
            .bearer_auth(token.trim())
            .json(&body)
            .send()
            .await
            .unwrap();
        match made.status() {
            StatusCode::CREATED => {
                break made.json::<Value>().await.unwrap()["operation_id"].as_str().unwrap().to_owned();
            }
            // It is not there yet.
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
        assert!(began.elapsed() < PATIENCE, "the worker does not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let operation = loop {
        let operation = get(&format!("/operations/{id}")).await;
        if !matches!(operation["status"].as_str(), Some("pending" | "progress")) {
            break operation;
        }
        assert!(began.elapsed() < PATIENCE, "the worker does not measure: {operation}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let result = &operation["results"][0];
    assert_eq!((&result["worker"], &result["status"]), (&"elsewhere".into(), &"done".into()), "{operation}");
    let workers = get("/workers").await;
    let linked = |worker: &Value| worker["name"] == "elsewhere" && worker["link"] == "websocket";
    assert!(workers.as_array().unwrap().iter().any(linked), "{workers}");
}

/// The link for the first administrator leads through the proxy, and the cookie is one of HTTPS.
async fn sign_in(client: &Client, base: &str, prefix: &str, home: &TempDir) {
    let link = std::fs::read_to_string(super::link_file(home.path())).unwrap();
    let code = link.trim().strip_prefix(&format!("{base}/setup#code=")).unwrap();
    let body = json!({ "code": code, "name": "admin", "password": "correct horse battery" });
    let origin = base.strip_suffix(prefix).unwrap();
    let made = client.post(format!("{base}/api/v1/setup")).header("Origin", origin).json(&body).send();
    let made = made.await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let cookie = made.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let (name, path) = match prefix {
        "" => ("__Host-netwark_session=", "; Path=/;".to_owned()),
        prefix => ("__Secure-netwark_session=", format!("; Path={prefix};")),
    };
    assert!(cookie.starts_with(name) && cookie.contains(&path) && cookie.ends_with("; Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let session = client.get(format!("{base}/api/v1/session")).header("Cookie", pair).send().await.unwrap();
    assert_eq!(session.json::<Value>().await.unwrap()["name"], "admin");
}

#[test]
fn nginx_serves_it_under_a_name() {
    behind_nginx("nginx.conf", "netwark.example.org", "");
}

#[test]
fn nginx_serves_it_below_a_path() {
    behind_nginx("nginx-path.conf", "example.org", "/netwark");
}
