//! One question to many targets: several are asked at once, and what comes is printed in the order of the targets.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, stream};
use serde_json::json;

use super::{Job, finish, local, remote};
use crate::failure::{Failure, Outcome};
use crate::output;

/// Targets that are asked at once.
const AT_ONCE: usize = 16;
/// Targets that are asked at once through a server, each an operation of its own.
const OPERATIONS: usize = 8;

/// Asks all targets of a job; fine when each was.
///
/// # Errors
/// With `--from` when the server refuses.
pub async fn run(mut job: Job) -> Outcome {
    let more = std::mem::take(&mut job.shared.more);
    let jobs = std::iter::once(job.shared.target.clone()).chain(more).map(|target| {
        let mut job = job.clone();
        job.shared.target = target;
        job
    });
    if let Some(from) = &job.shared.from {
        return through(jobs.collect(), from).await;
    }
    let context = local::context(&job).map_err(Failure::Failed)?;
    let mut answers = stream::iter(jobs)
        .map(|job| {
            let context = context.clone();
            async move {
                let measured = local::measure(&job, context, &|_| {}).await;
                (job, measured)
            }
        })
        .buffered(AT_ONCE);
    let mut fine = true;
    while let Some((job, measured)) = answers.next().await {
        fine &= match measured {
            Ok(payload) => {
                let finished = finish::of(&job, &payload, false);
                match (job.shared.json, job.shared.short) {
                    (true, _) => output::json_line(&payload),
                    (_, true) => output::lines(finished.lines),
                    _ => output::lines(finished.lines.into_iter().chain([String::new()])),
                }
                finished.fine
            }
            Err(cause) => {
                match job.shared.json {
                    true => output::json_line(&json!({ "target": job.shared.target, "cause": cause })),
                    false => output::complain(&format!("{}: {cause}", job.shared.target)),
                }
                false
            }
        };
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks about each job's target through a server, some at once; what each brought is told in the order of the jobs.
///
/// # Errors
/// When the server cannot be reached or refuses one of them, which also keeps those from being asked that come after.
pub async fn through(jobs: Vec<Job>, from: &str) -> Outcome {
    let stopped = &AtomicBool::new(false);
    let asked = jobs.into_iter().map(|job| async move {
        if stopped.load(Ordering::Relaxed) {
            return None;
        }
        let ended = remote::gather(&job, from.to_owned()).await;
        stopped.fetch_or(ended.is_err(), Ordering::Relaxed);
        Some(ended)
    });
    let mut ended = stream::iter(asked).buffered(OPERATIONS);
    let mut all = ExitCode::SUCCESS;
    let mut failure = None;
    // After a failure those under way are still waited for: who interrupts them has them cancelled.
    while let Some(one) = ended.next().await {
        match one {
            Some(Ok((code, lines))) => {
                output::lines(lines);
                all = if code == ExitCode::SUCCESS { all } else { code };
            }
            Some(Err(error)) => failure = failure.or(Some(error)),
            None => {}
        }
    }
    failure.map_or(Ok(all), Err)
}
