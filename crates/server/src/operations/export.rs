//! Results as files: JSON, CSV, text.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use netwark_model::operations::{OperationDetail, OperationResult};
use netwark_model::tools::mtr::MtrOutcome;
use netwark_model::tools::ping::{PingFate, PingOutcome};
use serde_json::Value;

use super::api::unknown;
use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::Id;

/// Results as JSON.
#[utoipa::path(
    get, path = "/operations/{id}/results.json", operation_id = "export_results_json", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", body = Vec<OperationResult>),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_json(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    Ok(named(Json(&detail.results).into_response(), &detail, "json"))
}

/// Results as CSV: a line per reply of a ping, per hop of a trace.
#[utoipa::path(
    get, path = "/operations/{id}/results.csv", operation_id = "export_results_csv", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", content_type = "text/csv", body = String),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_csv(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    let response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&detail)).into_response();
    Ok(named(response, &detail, "csv"))
}

/// Results as text, the way ping and mtr print them.
#[utoipa::path(
    get, path = "/operations/{id}/results.txt", operation_id = "export_results_txt", tag = "Operations",
    params(("id" = uuid::Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "All results", content_type = "text/plain", body = String),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn export_results_txt(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let detail = detail(&app, id).await?;
    let response = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text(&detail)).into_response();
    Ok(named(response, &detail, "txt"))
}

async fn detail(app: &App, id: uuid::Uuid) -> Result<OperationDetail, Problem> {
    app.store.operation_since(id, 0).await?.ok_or_else(|| unknown(id))
}

/// Gives a download a name that says what it is.
fn named(mut response: Response, detail: &OperationDetail, ending: &str) -> Response {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
    let target: String = detail.operation.target.chars().map(safe).take(80).collect();
    let name = format!("inline; filename=\"{}-{target}.{ending}\"", detail.operation.tool);
    if let Ok(value) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn text(detail: &OperationDetail) -> String {
    let mut text = String::new();
    for result in &detail.results {
        let worker = result.worker.as_deref().unwrap_or("no worker yet");
        // A selector that chose the worker has no queue.
        let queue = if result.queue.is_empty() { String::new() } else { format!(" ({})", result.queue) };
        let status = result.status.as_str();
        text.push_str(&format!("# {} from {worker}{queue}: {status}\n", detail.operation.tool));
        let payload = result.payload.as_ref().unwrap_or(&Value::Null);
        if let Some(cause) = payload.get("cause").and_then(Value::as_str) {
            text.push_str(cause);
            text.push('\n');
        } else if let Some(lines) = payload.get("raw").and_then(Value::as_array) {
            for line in lines.iter().filter_map(Value::as_str) {
                text.push_str(line);
                text.push('\n');
            }
        } else if !payload.is_null() {
            text.push_str(&serde_json::to_string_pretty(payload).unwrap_or_default());
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

fn csv(detail: &OperationDetail) -> String {
    match detail.operation.tool.as_str() {
        "ping" => {
            rows(detail, &["address", "seq", "at_ms", "fate", "rtt_ms", "ttl", "from", "message"], ping_rows)
        }
        "mtr" => rows(
            detail,
            &[
                "hop",
                "host",
                "asn",
                "loss",
                "sent",
                "last_ms",
                "average_ms",
                "best_ms",
                "worst_ms",
                "stddev_ms",
            ],
            mtr_rows,
        ),
        _ => rows(detail, &["payload"], |payload| vec![vec![payload.to_string()]]),
    }
}

/// A table: worker, queue and status, then what `cells` makes of a payload; a cause when there is one.
fn rows(detail: &OperationDetail, columns: &[&str], cells: fn(&Value) -> Vec<Vec<String>>) -> String {
    let mut header = vec!["worker", "queue", "status"];
    header.extend(columns);
    header.push("cause");
    let mut out = line(header);
    for result in &detail.results {
        let payload = result.payload.as_ref().unwrap_or(&Value::Null);
        let cause = payload.get("cause").and_then(Value::as_str).unwrap_or_default();
        let mut lines = if cause.is_empty() { cells(payload) } else { Vec::new() };
        if lines.is_empty() {
            lines.push(vec![String::new(); columns.len()]);
        }
        for cells in lines {
            let worker = result.worker.clone().unwrap_or_default();
            let mut row = vec![worker, result.queue.clone(), result.status.as_str().to_owned()];
            row.extend(cells);
            row.push(cause.to_owned());
            out.push_str(&line(row));
        }
    }
    out
}

fn ping_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<PingOutcome>(payload.clone()) else { return Vec::new() };
    let mut rows = Vec::new();
    for report in outcome.reports {
        for reply in report.replies {
            let empty = String::new;
            let [fate, rtt, ttl, from, message] = match reply.fate {
                PingFate::Waiting => ["waiting".into(), empty(), empty(), empty(), empty()],
                PingFate::Lost => ["lost".into(), empty(), empty(), empty(), empty()],
                PingFate::Late { rtt } => ["late".into(), rtt.to_string(), empty(), empty(), empty()],
                PingFate::Unsent { message } => ["unsent".into(), empty(), empty(), empty(), message],
                PingFate::Error { from, message } => {
                    ["error".into(), empty(), empty(), from.to_string(), message]
                }
                PingFate::Reply { rtt, ttl, from, .. } => [
                    "reply".into(),
                    rtt.to_string(),
                    ttl.map(|ttl| ttl.to_string()).unwrap_or_default(),
                    from.map(|from| from.to_string()).unwrap_or_default(),
                    empty(),
                ],
            };
            let [address, seq, at] =
                [report.address.to_string(), reply.seq.to_string(), reply.at_ms.to_string()];
            rows.push(vec![address, seq, at, fate, rtt, ttl, from, message]);
        }
    }
    rows
}

fn mtr_rows(payload: &Value) -> Vec<Vec<String>> {
    let Ok(outcome) = serde_json::from_value::<MtrOutcome>(payload.clone()) else { return Vec::new() };
    let row = |hub: netwark_model::tools::mtr::MtrHub| {
        vec![
            hub.count.to_string(),
            hub.host,
            hub.asn,
            hub.loss.to_string(),
            hub.sent.to_string(),
            hub.last.to_string(),
            hub.average.to_string(),
            hub.best.to_string(),
            hub.worst.to_string(),
            hub.stddev.to_string(),
        ]
    };
    outcome.report.hubs.into_iter().map(row).collect()
}

/// One line of CSV (RFC 4180). Text that a spreadsheet would run as a formula is made plain.
fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cell = |cell: T| {
        let text = cell.as_ref();
        let formula = text.starts_with(['=', '+', '@', '\t', '\r'])
            || (text.starts_with('-') && text.parse::<f64>().is_err());
        let text = if formula { format!("'{text}") } else { text.to_owned() };
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn csv_cells_are_quoted_and_never_formulas() {
        assert_eq!(
            line(["a,b", "say \"x\"", "=1+1", "-0.5", "-cmd"]),
            "\"a,b\",\"say \"\"x\"\"\",'=1+1,-0.5,'-cmd\r\n"
        );
    }
}
