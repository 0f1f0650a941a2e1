//! Spans for OpenTelemetry: sent over OTLP to where the variables of its specification say, and to nobody
//! without them.

use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// One of these turns it on. What else the specification knows (headers, sampling, attributes) is read too.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// What sends spans, for the end of the program.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What turns spans into those of OpenTelemetry; nothing when the environment names no place for them.
///
/// # Errors
/// When that place cannot be used.
pub fn layer<S>() -> Result<Option<impl Layer<S>>, String>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let named = ENDPOINTS.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !named {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {error}"))?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("netwark");
    }
    let provider =
        SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
    let tracer = PROVIDER.get_or_init(|| provider).tracer("netwark");
    Ok(Some(tracing_opentelemetry::layer().with_tracer(tracer)))
}

/// Sends what has not been sent.
pub fn end() {
    if let Some(provider) = PROVIDER.get()
        && let Err(error) = provider.shutdown()
    {
        tracing::debug!(%error, "the last spans were not sent");
    }
}
