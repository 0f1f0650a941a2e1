//! Somebody who may write to the broker and must not be believed.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use netwark_bus::amqp::{self, AmqpOptions, AmqpServerBus};
use netwark_bus::local;
use netwark_bus::signing::SigningKey;
use netwark_model::messages::{Alive, End, Hello, LARGEST, News, Report};
use netwark_store::{Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

use crate::REFUSED;
use crate::support::{PATIENCE, Server, within};

#[expect(dead_code, reason = "the tests of the bus use the rest")]
#[path = "../../../bus/tests/support/broker.rs"]
mod broker;

/// How many messages could not be read, in the metrics.
const MALFORMED: &str = "netwark_bus_messages_malformed_total";

/// What is logged by this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// How often something was logged.
    fn times(&self, what: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(what).count()
    }
}

/// A worker as the broker knows it: an id, a key, and what it has said.
struct Worker {
    id: Uuid,
    key: SigningKey,
    mark: u64,
    _directory: TempDir,
}

impl Worker {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = SigningKey::load_or_create(&directory.path().join("worker.key")).unwrap();
        Self { id: Uuid::now_v7(), key, mark: 0, _directory: directory }
    }

    /// What it says, as bytes.
    fn says(&mut self, news: News) -> Vec<u8> {
        self.mark += 1;
        serde_json::to_vec(&Report::new(self.id, self.mark, news)).unwrap()
    }

    fn signs(&self, body: &[u8]) -> String {
        STANDARD.encode(self.key.sign(body))
    }
}

/// A server on RabbitMQ, and somebody with the broker's credentials.
struct Scene {
    server: Server,
    log: Log,
    channel: Channel,
    _connection: Connection,
    _directory: TempDir,
}

impl Scene {
    /// None where there is no broker.
    async fn new(log: Log) -> Option<Self> {
        let url = broker::given()?;
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}/test.db", directory.path().display());
        let store = Store::open(&StoreOptions::new(database)).await.unwrap();
        let bus = AmqpServerBus::connect(&AmqpOptions::new(&url)).unwrap();
        let server = Server::with_bus(store, Arc::new(bus), local::pair().1).await;
        let connection = within(Connection::connect(&url, ConnectionProperties::default())).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let scene = Self { server, log, channel, _connection: connection, _directory: directory };
        scene
            .until("the server is at the broker", || async { scene.server.app.bus.check().await.is_ok() })
            .await;
        scene.until("the queue of reports", || scene.is_read()).await;
        Some(scene)
    }

    async fn until<F: Future<Output = bool>>(&self, what: &str, mut holds: impl FnMut() -> F) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// True when the queue of reports is read from, which begins when it is bound to its exchange: before, reports are lost.
    /// To ask for one that does not exist ends a channel.
    async fn is_read(&self) -> bool {
        let channel = self._connection.create_channel().await.unwrap();
        let options = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
        let queue = channel.queue_declare(amqp::REPORTS.into(), options, FieldTable::default()).await;
        queue.is_ok_and(|queue| queue.consumer_count() > 0)
    }

    /// Writes to the queue of reports.
    async fn write(&self, body: &[u8], signature: Option<String>) {
        let mut properties = BasicProperties::default();
        if let Some(signature) = signature {
            let mut headers = FieldTable::default();
            headers.insert("netwark-signature".into(), AMQPValue::LongString(signature.into()));
            properties = properties.with_headers(headers);
        }
        let options = BasicPublishOptions::default();
        let sent = self.channel.basic_publish(amqp::REPORTS.into(), "".into(), options, body, properties);
        assert!(within(sent.await.unwrap()).await.unwrap().is_ack());
    }

    /// Enrols a worker that signs, and says hello for it.
    async fn arrives(&self, name: &str) -> Worker {
        let mut worker = Worker::new();
        worker.id = self.server.enrol_with(name, Some(worker.key.public_key())).await.0;
        let queues = vec!["netwark".into(), "netwark.broadcast".into()];
        let hello =
            worker.says(News::Hello(Box::new(Hello { name: name.into(), queues, ..Hello::default() })));
        self.write(&hello, Some(worker.signs(&hello))).await;
        self.until(name, || async { self.server.app.store.worker(worker.id).await.unwrap().unwrap().online })
            .await;
        worker
    }

    /// Writes what must be refused: it is counted once, logged with these words, and changes nothing of
    /// the operation.
    async fn refused(
        &self,
        body: &[u8],
        signature: Option<String>,
        series: &str,
        words: &str,
        operation: &Value,
    ) {
        let (count, lines) = (self.server.counted(series).await, self.log.times(words));
        self.write(body, signature).await;
        self.until(&format!("counted: {words}"), || async { self.server.counted(series).await > count })
            .await;
        assert_eq!(self.server.counted(series).await, count + 1, "{words}");
        self.until(&format!("logged: {words}"), || async { self.log.times(words) > lines }).await;
        let id = operation["id"].as_str().unwrap();
        assert_eq!(self.server.detail(id).await, *operation, "{words}");
    }
}

/// The end of a result, as somebody else would like it.
fn end(operation_id: Uuid, result_id: Uuid) -> News {
    News::Final { operation_id, result_id, end: End::Done { payload: json!({"forged": true}) } }
}

/// The result of a worker.
fn result_of(operation: &Value, worker: &str) -> Uuid {
    let results = operation["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["worker"] == worker).unwrap();
    result["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn credentials_of_the_broker_do_not_make_a_worker() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    // For all threads: one that has no subscriber can make up its mind for the others that nobody wants a line.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let Some(scene) = Scene::new(log).await else { return };
    let mut paris = scene.arrives("paris").await;
    let mut london = scene.arrives("london").await;
    let mut gone = scene.arrives("gone").await;
    let server = &scene.server;
    let id = server.operation("netwark.broadcast").await;
    server.app.store.revoke_worker(gone.id, "the test", jiff::Timestamp::now()).await.unwrap().unwrap();
    server.app.directory.forget(gone.id).await;
    let mut keyless = Worker::new();
    keyless.id = server.enrol("keyless").await.0;
    let mut unknown = Worker::new();
    let before = server.detail(&id).await;
    let (operation_id, result_id) = (id.parse().unwrap(), result_of(&before, "paris"));
    let news = || end(operation_id, result_id);

    let body = paris.says(news());
    scene.refused(&body, None, MALFORMED, "it is not signed", &before).await;
    scene.refused(&body, Some("?".into()), MALFORMED, "its signature is not base64", &before).await;
    scene
        .refused(&body, Some(STANDARD.encode([7; 64])), REFUSED, "the signature does not fit", &before)
        .await;
    // In the name of paris, by the key of london; and a signature of paris under other words.
    scene.refused(&body, Some(london.signs(&body)), REFUSED, "the signature does not fit", &before).await;
    let other = paris.says(News::Alive(Alive::default()));
    scene.refused(&body, Some(paris.signs(&other)), REFUSED, "the signature does not fit", &before).await;
    for nobody in [&mut keyless, &mut unknown] {
        let body = nobody.says(news());
        scene.refused(&body, Some(nobody.signs(&body)), REFUSED, "no key is registered", &before).await;
    }
    for news in [news(), end(operation_id, result_of(&before, "gone")), News::Alive(Alive::default())] {
        let body = gone.says(news);
        scene.refused(&body, Some(gone.signs(&body)), REFUSED, "was revoked", &before).await;
    }
    // A worker that is one, on what is meant for another.
    let started = News::Started { operation_id, result_id, redelivered: true };
    let progress = News::Progress { operation_id, result_id, payload: json!({"forged": true}) };
    let elsewhere = end(Uuid::now_v7(), result_of(&before, "london"));
    for news in [news(), started, progress, elsewhere] {
        let body = london.says(news);
        scene.refused(&body, Some(london.signs(&body)), REFUSED, "is not this worker's", &before).await;
    }
    // What cannot be read, signed all the same.
    let large = vec![b' '; LARGEST + 1];
    scene.refused(&large, Some(paris.signs(&large)), MALFORMED, "1048577", &before).await;
    for nonsense in [&b"{\"version\": 2, "[..], b"[]", b"\xff\xfe"] {
        let signature = Some(paris.signs(nonsense));
        scene.refused(nonsense, signature, MALFORMED, "a report cannot be read", &before).await;
    }

    // Said again: what paris says of itself is refused, and the end of its result stands as it is.
    let alive = paris.says(News::Alive(Alive::default()));
    scene.write(&alive, Some(paris.signs(&alive))).await;
    let done = paris.says(news());
    scene.write(&done, Some(paris.signs(&done))).await;
    let is_done = || async { server.detail(&id).await["results"].to_string().contains("\"done\"") };
    scene.until("paris ends it", is_done).await;
    let after = server.detail(&id).await;
    scene.refused(&alive, Some(paris.signs(&alive)), REFUSED, "this was said before", &after).await;
    let applied = "netwark_reports_total{fate=\"applied\"}";
    let known = server.counted(applied).await;
    scene.write(&done, Some(paris.signs(&done))).await;
    scene.until("it is known", || async { server.counted(applied).await > known }).await;
    assert_eq!(server.detail(&id).await, after);
}
